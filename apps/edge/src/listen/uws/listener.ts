// A listener on uWebSockets.js: cleartext HTTP/1.1, or TLS whose chains are all SIMPLE. SNI picks the chain, whatever the Host
// header says. Limits that the engine does not have, or has fixed, are listed in docs/adr/0001.
import { isDeepStrictEqual } from "node:util";
import type { HttpRequest } from "uWebSockets.js";
import type { FilterChain, Listener } from "@sluice/core/model";
import type { ExchangeHandler } from "../../exchange/exchange.ts";
import { BindError } from "../listener.ts";
import type { BindListener, BoundListener, EngineContext, ListenerSpec } from "../listener.ts";
import { findBindCode } from "./bind-code.ts";
import { ChainBinding, type Place } from "./chain-binding.ts";
import { type ExchangeOwner, UwsExchange } from "./exchange.ts";
import { Generation, type GenerationOwner, type ServedChain, type UpgradeSocket } from "./generation.ts";
import { type ServableCertificate, servableCertificate } from "./key-files.ts";
import { loadUws, type UwsModule } from "./load.ts";
import type { HttpResponse } from "./native.ts";
import { refuseRequest } from "./refuse.ts";
import { readRequest } from "./request.ts";
import { UwsWebSocketExchange } from "./web-socket/exchange.ts";
import { toHandshake } from "./web-socket/handshake.ts";
import { assertServable } from "./servable.ts";

/**
 * Binds a listener on uWebSockets.js. Other sockets with SO_REUSEPORT on the same address are shared with, not refused, whoever
 * owns them; the primary looks for foreign ones before workers bind.
 * Throws when the module is not loaded or the listener is not one for this engine; rejects with a `BindError`.
 */
export const bindUws: BindListener = async (spec, context) => {
  const loaded = loadUws();
  if ("reason" in loaded) throw new Error(`uWebSockets.js is not available: ${loaded.reason}`);
  assertServable(spec.listener);
  const listener = new UwsListener(loaded.uws, context, spec);
  if (listener.listen()) return listener;
  const { bindAddress, bindPort } = spec;
  throw new BindError(bindAddress, bindPort, await findBindCode(bindAddress, bindPort));
};

class UwsListener implements BoundListener, GenerationOwner, ExchangeOwner {
  readonly name: string;
  readonly engine = "uws";
  readonly handler: ExchangeHandler;
  readonly maxMessageBytes: number;
  isDraining: boolean;
  private readonly uws: UwsModule;
  private readonly context: EngineContext;
  private readonly place: Place;
  private readonly generations: Set<Generation>;
  private chains: readonly ServedChain[];
  private transport: Listener["transport"];
  /** The last one: connections from before a step to TLS keep it, and the proxy finds that it is gone. */
  private cleartextChain: ServedChain | null;
  private current: Generation;
  private exchangeCount: number;
  private retired: Promise<void>;
  private drained: Promise<void> | null;
  private resolveDrained: () => void;

  constructor(uws: UwsModule, context: EngineContext, spec: ListenerSpec) {
    this.name = spec.listener.name;
    this.handler = context.handler;
    this.maxMessageBytes = context.limits.webSocketBufferBytes;
    this.isDraining = false;
    this.uws = uws;
    this.context = context;
    this.place = { address: spec.bindAddress, port: spec.bindPort };
    this.chains = this.serve(spec, []);
    this.transport = spec.listener.transport;
    this.cleartextChain = this.transport === "http" ? (this.chains[0] ?? null) : null;
    this.current = this.createGeneration(spec.listener);
    this.generations = new Set([this.current]);
    this.exchangeCount = 0;
    this.retired = Promise.resolve();
    this.drained = null;
    this.resolveDrained = () => {};
  }

  get boundPort(): number {
    return this.place.port;
  }

  /** False when the address cannot be had. */
  listen(): boolean {
    const port = this.current.listen(this.place.address, this.place.port);
    if (port === null) return false;
    this.place.port = port;
    return true;
  }

  update(spec: ListenerSpec): void {
    const { listener } = spec;
    assertServable(listener);
    const chains = this.serve(spec, this.chains);
    // A cleartext app asks for its chain at every request. What concerns TLS, the step to it and from it too, is fixed in the app.
    if (listener.transport === "tls" || this.transport === "tls") this.updateApp(listener, chains);
    this.chains = chains;
    this.transport = listener.transport;
    if (listener.transport === "http") this.cleartextChain = chains[0] ?? null;
  }

  updated(): Promise<void> {
    return this.retired;
  }

  private updateApp(listener: Listener, chains: readonly ServedChain[]): void {
    const kept = this.chains.filter((chain) => chains.includes(chain));
    const added = chains.filter((chain) => !this.chains.includes(chain));
    const onlyAdds = kept.length === this.chains.length && added.every(({ serverNames }) => serverNames.length > 0);
    if (onlyAdds) {
      for (const chain of added) this.current.add(chain);
      return;
    }
    const before = this.chains;
    this.chains = chains;
    const next = this.createGeneration(listener);
    if (next.listen(this.place.address, this.place.port) === null) {
      this.chains = before;
      throw new BindError(this.place.address, this.place.port, "EADDRINUSE");
    }
    this.retired = Promise.all([this.retired, this.current.retire()]).then(() => {});
    this.current = next;
    this.generations.add(next);
  }

  private createGeneration({ transport }: Listener): Generation {
    if (transport === "tls") return Generation.tls(this.uws, this, this.chains);
    return Generation.cleartext(this.uws, this, () => this.cleartextBinding());
  }

  private cleartextBinding(): ChainBinding {
    const binding = this.cleartextChain?.bindings[0];
    if (binding === undefined) throw new Error(`listener ${this.name} has no filter chain`);
    return binding;
  }

  /** The chains as they are to be served; the ones that did not change are the same objects as before. */
  private serve(spec: ListenerSpec, before: readonly ServedChain[]): ServedChain[] {
    const { listener } = spec;
    return listener.filterChains.map((chain) => {
      const certificate = chain.tls === null ? null : servableCertificate(this.uws, chain, spec);
      const served = before.find(
        (old) =>
          old.name === chain.name &&
          old.certificate?.digest === certificate?.digest &&
          isDeepStrictEqual(old.serverNames, chain.serverNames),
      );
      return served ?? this.serveAnew(listener, chain, certificate);
    });
  }

  private serveAnew(listener: Listener, chain: FilterChain, certificate: ServableCertificate | null): ServedChain {
    const { name, serverNames } = chain;
    const scheme = listener.transport === "tls" ? "https" : "http";
    const bindings = (serverNames.length === 0 ? [null] : serverNames).map(
      (sni) => new ChainBinding({ listener: this.name, filterChain: name, scheme, sni, place: this.place }),
    );
    return { name, serverNames, bindings, certificate };
  }

  drain(): Promise<void> {
    if (this.drained !== null) return this.drained;
    this.isDraining = true;
    for (const generation of this.generations) generation.stopListening();
    this.drained = new Promise((resolve) => {
      this.resolveDrained = resolve;
    });
    if (this.exchangeCount === 0) setImmediate(() => this.abort());
    return this.drained;
  }

  abort(): void {
    this.isDraining = true;
    for (const generation of this.generations) generation.close();
    this.generations.clear();
    this.resolveDrained();
  }

  // --- what generations and exchanges tell ---

  onRequest(binding: ChainBinding, res: HttpResponse, request: HttpRequest): void {
    const head = readRequest(request, this.context.limits);
    if (typeof head === "string") {
      this.context.observer.onRequestRefused(this.name, head);
      refuseRequest(res, head);
      return;
    }
    this.exchangeCount++;
    new UwsExchange(this, binding.downstreamOf(res), head, res).begin();
  }

  onUpgrade(binding: ChainBinding, request: HttpRequest, { res, context }: UpgradeSocket): void {
    const head = readRequest(request, this.context.limits);
    const handshake = typeof head === "string" ? null : toHandshake(head);
    if (handshake === null) return this.onRequest(binding, res, request);
    this.exchangeCount++;
    const downstream = binding.downstreamOf(res);
    const { maxMessageBytes: maxBufferBytes } = this;
    new UwsWebSocketExchange({ owner: this, downstream, head: handshake, res, context, maxBufferBytes }).begin();
  }

  onExchangeReleased(): void {
    this.exchangeCount--;
    // Not at once: the last response is still being written.
    if (this.isDraining && this.exchangeCount === 0) setImmediate(() => this.abort());
  }

  onRefusedChain(filterChain: string | null): void {
    const reason = filterChain === null ? "no_filter_chain" : "no_certificate";
    this.context.observer.onHandshakeFailed(this.name, filterChain, reason);
  }

  onOpened(): boolean {
    const { limits, observer, openConnections } = this.context;
    openConnections.count++;
    observer.onConnectionOpened(this.name);
    return openConnections.count <= limits.maxConnections;
  }

  onClosed(): void {
    this.context.openConnections.count--;
    this.context.observer.onConnectionClosed(this.name);
  }

  onEmptied(generation: Generation): void {
    this.generations.delete(generation);
  }
}
