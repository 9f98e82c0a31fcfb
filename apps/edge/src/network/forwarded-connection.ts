// One forwarded connection from its hand-over to the close of its second socket: connects, copies both ways, ends it in time, and is
// counted and logged exactly once.
import type { Cluster } from "@sluice/core/model";
import type { FailureCode } from "../exchange/failure.ts";
import type { NetworkConnection, NetworkDownstream } from "../exchange/network-handler.ts";
import type { NetworkCounter } from "../observe/network-metrics.ts";
import { localAddressOf } from "../upstream/open-socket.ts";
import type { EndpointPool } from "../upstream/pool.ts";
import type { RawConnectEvents } from "../upstream/raw-connection.ts";
import { endAbruptly, hasEndedWell, relay, type Side } from "./relay.ts";

/** What Node's timers can count; more fires at once. */
const maxTimerMs = 2 ** 31 - 1;
/** For what is on its way out when Sluice ends a connection (Envoy's delayed_close_timeout). */
const closeGraceMs = 1000;

export type OnEnded = (connection: ForwardedConnection) => void;

export class ForwardedConnection implements NetworkConnection, RawConnectEvents {
  readonly downstream: NetworkDownstream;
  readonly startedAtMs = Date.now();
  readonly startedAt = performance.now();
  readonly cluster: string;
  upstreamAddress = "";
  upstreamLocalAddress = "";
  bytesReceived = 0;
  bytesSent = 0;
  failure: FailureCode | null = null;
  terminationDetails: string | null = null;
  upstreamFailureReason: string | null = null;
  readonly #client: Side;
  readonly #counter: NetworkCounter;
  readonly #onEnded: OnEnded;
  readonly #timers: NodeJS.Timeout[] = [];
  #target: Cluster | null = null;
  #upstream: Side | null = null;
  #idleTimer: NodeJS.Timeout | null = null;
  #openSockets = 1;
  #isEnded = false;
  /** Sluice ends it: how its sockets close says nothing any more. */
  #isClosing = false;

  constructor(client: Side, source: ForwardedConnectionSource) {
    this.downstream = source.downstream;
    this.cluster = source.cluster;
    this.#client = client;
    this.#counter = source.counter;
    this.#onEnded = source.onEnded;
    this.#counter.onOpened();
  }

  /** Connects to the endpoint and forwards once that stands; the client is not read before. */
  forward(endpoint: EndpointPool, target: Cluster): void {
    this.#target = target;
    this.upstreamAddress = endpoint.address;
    this.#client.socket.on("close", () => this.#onClosed(this.#client, "downstream_gone"));
    this.#upstream = endpoint.openRaw({ client: this.downstream, host: target.host }, this);
  }

  /** Closes the client's connection and ends. */
  fail(failure: FailureCode, upstreamFailureReason: string | null = null): void {
    this.failure ??= failure;
    this.upstreamFailureReason = upstreamFailureReason;
    this.#isClosing = true;
    this.#client.socket.destroy();
    this.#end();
  }

  onConnectFailed(failure: FailureCode, reason: string): void {
    this.#upstream = null;
    this.fail(failure, reason === "" ? null : reason);
  }

  onConnected(): void {
    if (this.#upstream === null) return;
    const client = this.#client.socket;
    const { socket: upstream, carrier } = this.#upstream;
    this.upstreamLocalAddress = localAddressOf(carrier);
    this.#openSockets = 2;
    const side = this.#upstream;
    upstream.on("error", ignoreError).on("close", () => this.#onClosed(side, "upstream_reset_midway"));
    this.#startTimers();
    relay(this.#client, upstream, (byteCount) => {
      this.bytesReceived += byteCount;
      this.#counter.bytesReceived += byteCount;
      this.#idleTimer?.refresh();
    });
    relay(side, client, (byteCount) => {
      this.bytesSent += byteCount;
      this.#counter.bytesSent += byteCount;
      this.#idleTimer?.refresh();
    });
    client.resume();
  }

  #startTimers(): void {
    const { idleTimeoutMs = 0, maxConnectionDurationMs = 0 } = this.#target?.limits ?? {};
    this.#idleTimer = this.#after(idleTimeoutMs, () => this.#close("tcp_session_idle_timeout"));
    this.#after(maxConnectionDurationMs, () => this.#close("max_connection_duration_reached"));
  }

  /** 0: never. */
  #after(delayMs: number, act: () => void): NodeJS.Timeout | null {
    if (delayMs === 0) return null;
    const timer = setTimeout(act, Math.min(delayMs, maxTimerMs));
    this.#timers.push(timer);
    return timer;
  }

  /** Sluice's own end: what has been read goes out if the other side takes it in time, nothing more is read. */
  #close(details: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.terminationDetails = details;
    const sockets = [this.#client.socket, this.#upstream?.socket];
    for (const socket of sockets) socket?.removeAllListeners("data").pause().destroySoon();
    this.#after(closeGraceMs, () => {
      for (const socket of sockets) socket?.destroy();
    });
  }

  #onClosed(side: Side, failure: FailureCode): void {
    if (!this.#isClosing && !hasEndedWell(side.socket)) {
      this.failure ??= failure;
      const other = side === this.#client ? this.#upstream : this.#client;
      if (other !== null) endAbruptly(other);
    }
    this.#openSockets--;
    if (this.#openSockets === 0) this.#end();
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#counter.onClosed(this.failure);
    this.#onEnded(this);
  }
}

export interface ForwardedConnectionSource {
  readonly downstream: NetworkDownstream;
  /** Empty when there is none to choose. */
  readonly cluster: string;
  readonly counter: NetworkCounter;
  readonly onEnded: OnEnded;
}

function ignoreError(): void {
  // Followed by close.
}
