// The scenarios, as data: what is loaded how, what the contenders have to be for it, and which number counts.
import { type Door, simpleSite, type Site } from "./contender.ts";
import type { Metric } from "./metrics.ts";

/** Closed loop: a connection (a stream) sends when it has its answer. The contender is at its limit, or the load is at its own. */
export interface ClosedLoad {
  readonly kind: "closed";
  readonly door: Door;
  readonly path: string;
  readonly connections: number;
  /** HTTP/2: requests under way on each connection. */
  readonly streams?: number;
  readonly bodyBytes?: number;
  /** Milliseconds from one change of the configuration to the next. */
  readonly reloadEveryMs?: number;
}

/** Open loop at half of what a closed one reached: of nginx (all contenders get the same), or of the contender itself. */
export interface OpenLoad {
  readonly kind: "open";
  readonly door: Door;
  readonly path: string;
  readonly halfOf: "nginx" | "itself";
}

export interface HandshakeLoad {
  readonly kind: "handshakes";
  readonly isResumed: boolean;
}

export interface MessageLoad {
  readonly kind: "messages";
  readonly messageBytes: number;
}

/** Connections that do nothing: what memory each costs. */
export interface IdleLoad {
  readonly kind: "idle";
  readonly door: Door;
  readonly connections: number;
}

/** No load: from start to ready, and memory then. */
export interface StartLoad {
  readonly kind: "start";
}

export type Load = ClosedLoad | OpenLoad | HandshakeLoad | MessageLoad | IdleLoad | StartLoad;

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly site: Site;
  readonly load: Load;
  /** The number that ratios are made of; less is better. */
  readonly metric: Metric;
  /** Each contender is also measured as this site in the same rounds, and compared with itself: what hosts, routes, logs cost. */
  readonly baseline?: { readonly title: string; readonly site?: Site; readonly load?: Load };
  /** Only Sluice and these; default: all that can. */
  readonly contenders?: readonly string[];
}

const small = "/small";
const closed = (door: Door, path = small): ClosedLoad => ({ kind: "closed", door, path, connections: 64 });
const h2 = (path: string, streams: number): ClosedLoad => ({
  kind: "closed",
  door: "h2",
  path,
  connections: 8,
  streams,
});
const large = (path: string): ClosedLoad => ({ ...closed("plain", path), connections: 16 });
const open = (door: Door, halfOf: OpenLoad["halfOf"]): OpenLoad => ({ kind: "open", door, path: small, halfOf });

function scenario(name: string, title: string, load: Load, rest: Partial<Scenario> = {}): Scenario {
  return { name, title, load, site: simpleSite, metric: "cpuUs", ...rest };
}

const logged = { ...simpleSite, hasAccessLog: true };
const manyRoutes = { ...simpleSite, routes: 10_000 };
const lastRoute = `/route-9999${small}`;
const oneHost = { title: "with 1 host", site: simpleSite };
const hosts = (count: number): Site => ({ ...simpleSite, hosts: count });

/** All, in the order in which they run: those of one site one after the other, so that contenders are started once for them. */
export const scenarios: readonly Scenario[] = [
  scenario("small-plain", "small answers, plain HTTP/1.1", closed("plain")),
  scenario("small-tls", "small answers, TLS, HTTP/1.1", closed("tls")),
  scenario("small-h2", "small answers, TLS, HTTP/2", h2(small, 16)),
  scenario("small-mtls", "small answers, mutual TLS, HTTP/1.1", closed("mtls")),
  scenario("64k-plain", "answers of 64 KiB, plain HTTP/1.1", closed("plain", "/64k")),
  scenario("1m-plain", "answers of 1 MiB, plain HTTP/1.1", large("/1m")),
  scenario("1m-h2", "answers of 1 MiB, TLS, HTTP/2", h2("/1m", 2)),
  scenario("upload-1m", "uploads of 1 MiB, plain HTTP/1.1", { ...large("/upload"), bodyBytes: 2 ** 20 }),
  scenario("latency-plain", "plain HTTP/1.1, open loop, half of nginx's saturation", open("plain", "nginx"), {
    metric: "p99Ms",
  }),
  scenario("latency-plain-own", "plain HTTP/1.1, open loop, half of its own saturation", open("plain", "itself"), {
    metric: "p99Ms",
  }),
  scenario("latency-tls", "TLS, HTTP/1.1, open loop, half of nginx's saturation", open("tls", "nginx"), {
    metric: "p99Ms",
  }),
  scenario("latency-tls-own", "TLS, HTTP/1.1, open loop, half of its own saturation", open("tls", "itself"), {
    metric: "p99Ms",
  }),
  scenario("latency-h2", "TLS, HTTP/2, open loop, half of nginx's saturation", open("h2", "nginx"), {
    metric: "p99Ms",
  }),
  scenario("latency-h2-own", "TLS, HTTP/2, open loop, half of its own saturation", open("h2", "itself"), {
    metric: "p99Ms",
  }),
  scenario("handshakes-ecdsa", "new TLS connections, ECDSA P-256", { kind: "handshakes", isResumed: false }),
  scenario("handshakes-resumed", "new TLS connections, resumed", { kind: "handshakes", isResumed: true }),
  scenario(
    "idle-plain",
    "10,000 idle connections, plain",
    { kind: "idle", door: "plain", connections: 10_000 },
    {
      metric: "connectionKib",
    },
  ),
  scenario(
    "idle-tls",
    "10,000 idle connections, TLS, HTTP/1.1",
    { kind: "idle", door: "tls", connections: 10_000 },
    {
      metric: "connectionKib",
    },
  ),
  scenario(
    "reload",
    "plain HTTP/1.1, a reload every 100 ms",
    { ...closed("plain"), reloadEveryMs: 100 },
    { contenders: ["nginx", "haproxy"], baseline: { title: "without reloads", load: closed("plain") } },
  ),
  scenario(
    "handshakes-rsa",
    "new TLS connections, RSA 2048",
    { kind: "handshakes", isResumed: false },
    {
      site: { ...simpleSite, key: "rsa-2048" },
    },
  ),
  scenario(
    "websocket",
    "WebSocket messages of 64 bytes",
    { kind: "messages", messageBytes: 64 },
    {
      site: { ...simpleSite, upstream: "echo" },
    },
  ),
  scenario("small-plain-log", "small answers, plain HTTP/1.1, access log on", closed("plain"), {
    site: logged,
    baseline: { title: "without log", site: simpleSite },
  }),
  scenario("workers-2", "small answers, plain HTTP/1.1, 2 workers", closed("plain"), {
    site: { ...simpleSite, workers: 2 },
    baseline: { title: "with 1 worker", site: simpleSite },
  }),
  scenario("hosts-1000", "1,000 hosts in turn, plain HTTP/1.1", closed("plain"), {
    site: hosts(1000),
    baseline: oneHost,
  }),
  scenario("hosts-10000", "10,000 hosts in turn, plain HTTP/1.1", closed("plain"), {
    site: hosts(10_000),
    baseline: oneHost,
  }),
  scenario("routes-10000", "10,000 routes of one host, the last one, plain HTTP/1.1", closed("plain", lastRoute), {
    site: manyRoutes,
    baseline: { title: "with 1 route", site: simpleSite },
  }),
  scenario(
    "start-10000",
    "from start to ready with 10,000 hosts, one VirtualService each; memory then",
    { kind: "start" },
    {
      site: hosts(10_000),
      metric: "readyMs",
      baseline: oneHost,
    },
  ),
];

/** The door that a load goes through. */
export function doorOf(load: Load): Door {
  if (load.kind === "handshakes") return "tls";
  return load.kind === "messages" || load.kind === "start" ? "plain" : load.door;
}
