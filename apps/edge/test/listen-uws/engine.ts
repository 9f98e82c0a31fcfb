// Starts listeners on uWebSockets.js for the tests of this folder, and says loudly when it cannot be loaded here.
import type { FilterChain, Listener, SecretResource, TlsContext } from "@sluice/core/model";
import { SecretText } from "@sluice/core/model";
import type { BoundListener, DownstreamLimits, ListenerObserver, ListenerSpec } from "../../src/listen/listener.ts";
import { bindUws } from "../../src/listen/uws/listener.ts";
import { loadUws, prepareUwsEnvironment } from "../../src/listen/uws/load.ts";
import { noNetwork } from "../support/no-network.ts";
import { FakeHandler } from "./fake-handler.ts";

export const limits: DownstreamLimits = {
  handshakeTimeoutMs: 10_000,
  requestHeadTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  streamIdleTimeoutMs: 60_000,
  maxHeadBytes: 16_384,
  maxHeaderCount: 50,
  maxConnections: 10_000,
  maxConcurrentStreams: 100,
  maxResetStreamsPerMinute: 500,
  maxControlFramesPerMinute: 1000,
  streamBufferBytes: 65_536,
  connectionBufferBytes: 1_048_576,
  webSocketBufferBytes: 1_048_576,
  allowsHttp10: false,
};

prepareUwsEnvironment(limits);
const loaded = loadUws();
/** True where the engine cannot be loaded: wrong Node.js, or a glibc older than its build needs. */
export const isUwsMissing = "reason" in loaded;
if ("reason" in loaded) console.warn(`SKIPPED: every test of listen/uws, because ${loaded.reason}`);

export class FakeObserver implements ListenerObserver {
  opened = 0;
  closed = 0;
  readonly refused: string[] = [];
  readonly failedHandshakes: string[] = [];

  onConnectionOpened(): void {
    this.opened++;
  }
  onConnectionClosed(): void {
    this.closed++;
  }
  onHandshakeFailed(_listener: string, filterChain: string | null, reason: string): void {
    this.failedHandshakes.push(`${filterChain} ${reason}`);
  }
  onRequestRefused(_listener: string, failure: string): void {
    this.refused.push(failure);
  }
}

export interface Running {
  readonly bound: BoundListener;
  readonly port: number;
  readonly handler: FakeHandler;
  readonly observer: FakeObserver;
  [Symbol.dispose](): void;
}

export async function start(
  spec: ListenerSpec = cleartextSpec(),
  change: Partial<DownstreamLimits> = {},
  handler: FakeHandler = new FakeHandler(),
): Promise<Running> {
  const observer = new FakeObserver();
  const ticketSecret = new Uint8Array(32);
  const context = {
    handler,
    network: noNetwork,
    codec: "node" as const,
    observer,
    limits: { ...limits, ...change },
    openConnections: { count: 0 },
    ticketSecret,
  };
  const bound = await bindUws(spec, context);
  return { bound, port: bound.boundPort, handler, observer, [Symbol.dispose]: () => bound.abort() };
}

export function cleartextSpec(chainName = "http.80"): ListenerSpec {
  return specOf("http", [chainOf(chainName, [], null)], {});
}

/** Chains by name: their server names and the certificate each of them names, or null for a Secret that is missing. */
export function tlsSpec(
  chains: Record<string, { names: string[]; certificate: SecretResource | null; tls?: Partial<TlsContext> }>,
): ListenerSpec {
  const secrets: Record<string, SecretResource> = {};
  const filterChains = Object.entries(chains).map(([name, { names, certificate, tls }]) => {
    const secret = certificate?.name ?? "kubernetes://default/absent";
    if (certificate !== null) secrets[secret] = certificate;
    return chainOf(name, names, { ...simpleTls, certificates: [{ secret, files: null }], ...tls });
  });
  return specOf("tls", filterChains, secrets);
}

const simpleTls: TlsContext = {
  mode: "SIMPLE",
  certificates: [],
  clientValidation: null,
  alpn: ["http/1.1"],
  minVersion: "TLSv1.2",
  maxVersion: "TLSv1.3",
  cipherSuites: [],
  ecdhCurves: [],
};

export function secretOf(name: string, certificateChain: string, privateKey: string): SecretResource {
  return {
    name,
    status: "ready",
    reason: "",
    certificateChain,
    privateKey: new SecretText(privateKey),
    trustedCa: null,
    crl: null,
  };
}

function chainOf(name: string, serverNames: string[], tls: TlsContext | null): FilterChain {
  const gateway = { namespace: "default", name: "gateway" };
  return { name, serverNames, tls, routeConfig: name, forward: null, statPrefix: null, gateway };
}

function specOf(
  transport: Listener["transport"],
  filterChains: FilterChain[],
  secrets: Record<string, SecretResource>,
): ListenerSpec {
  const port = transport === "tls" ? 443 : 80;
  const listener: Listener = {
    name: `0.0.0.0_${port}`,
    address: "0.0.0.0",
    port,
    declaredPort: port,
    transport,
    engine: "uws",
    engineReason: "test",
    acceptsProxyProtocol: false,
    filterChains,
  };
  return { listener, bindAddress: "127.0.0.1", bindPort: 0, secret: (name) => secrets[name] ?? null };
}

/** Moves a spec to the port a listener has, for another bind of the same address. */
export function atPort(spec: ListenerSpec, port: number): ListenerSpec {
  return { ...spec, bindPort: port };
}
