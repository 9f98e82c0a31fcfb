// Clusters of the table: endpoints, how one is chosen, how it is reached and when it is left alone.
import type { ObjectRef } from "./table.ts";

/** A named set of endpoints and how to reach them. */
export interface Cluster {
  /** `outbound|8000||httpbin.default.svc.cluster.local`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly subset: string;
  /**
   * `EDS`: endpoints from Kubernetes objects. `STATIC`: addresses of a ServiceEntry. `STRICT_DNS`: host names to resolve, every address an
   * endpoint. `LOGICAL_DNS`: one host name, whose addresses are used in turn for new connections (DNS_ROUND_ROBIN).
   */
  readonly discovery: "EDS" | "STATIC" | "STRICT_DNS" | "LOGICAL_DNS";
  readonly connectTimeoutMs: number;
  readonly protocol: UpstreamProtocol;
  /** Null: cleartext. */
  readonly tls: UpstreamTls | null;
  readonly limits: ClusterLimits;
  readonly balancer: Balancer;
  /** New endpoints get their share step by step; null: at once. */
  readonly warmup: Warmup | null;
  /** Null: endpoints are never ejected. */
  readonly outlierDetection: OutlierDetection | null;
  /** Each upstream connection begins with a PROXY protocol header that names the client. */
  readonly sendsProxyProtocol: "V1" | "V2" | null;
  /** The DestinationRule that says all this, for `pc cluster`. */
  readonly destinationRule: (ObjectRef & { readonly apiVersion: string }) | null;
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  /** IP address, `unix:///path` or `unix://@abstract`; a host name in a cluster that resolves names. */
  readonly address: string;
  /** 0 for a Unix socket. */
  readonly port: number;
  /** Relative, positive; what a DestinationRule distributes over localities is worked into it. */
  readonly weight: number;
  /** False for addresses that Kubernetes lists as not ready: known, never used. */
  readonly healthy: boolean;
  /** `region/zone/subzone`, empty when unknown. */
  readonly locality: string;
  /** 0 is used first; the next ones take over as endpoints of those before become unhealthy (Envoy's priority levels). */
  readonly priority: number;
}

/** How the endpoint of a request is chosen. */
export type Balancer = SimpleBalancer | HashBalancer;

export interface SimpleBalancer {
  readonly kind: "least-request" | "round-robin" | "random";
}

/** The same key leads to the same endpoint, in every worker of every machine, as long as endpoints stay. */
export interface HashBalancer {
  readonly kind: "ring-hash" | "maglev";
  readonly key: HashKey;
  /** `ring-hash`: entries of the ring at least; `maglev`: entries of the table, a prime. */
  readonly size: number;
}

/** What of a request is hashed. One that lacks it is sent anywhere. */
export type HashKey =
  | { readonly kind: "header"; readonly name: string }
  | {
      readonly kind: "cookie";
      readonly name: string;
      readonly path: string;
      /** Null: an absent cookie is not made. 0: a session cookie. */
      readonly ttlMs: number | null;
      /** Further attributes as they are sent, `SameSite=Strict`. */
      readonly attributes: readonly string[];
    }
  | { readonly kind: "source-ip" }
  | { readonly kind: "query"; readonly name: string };

/** Envoy's slow start: weight × max(minimumPercent, (age / duration) ^ (1 / aggression)). */
export interface Warmup {
  readonly durationMs: number;
  /** 0 to 100. */
  readonly minimumPercent: number;
  readonly aggression: number;
}

/** Envoy's outlier detection, decided by each worker from what it sees. A count of 0 switches that detection off. */
export interface OutlierDetection {
  /** 5xx answers in a row; failures to connect count as 5xx unless `splitsLocalErrors`. */
  readonly consecutive5xx: number;
  /** 502, 503, 504 in a row. */
  readonly consecutiveGatewayErrors: number;
  /** Failures to connect, resets and timeouts in a row, counted apart with `splitsLocalErrors`. */
  readonly consecutiveLocalErrors: number;
  readonly splitsLocalErrors: boolean;
  /** Answers that count as errors instead of 5xx; empty: 5xx. */
  readonly errorCodes: readonly number[];
  /** How often ejected endpoints are looked at. */
  readonly intervalMs: number;
  /** Multiplied by how often the endpoint has been ejected. */
  readonly baseEjectionTimeMs: number;
  /** Of the endpoints, 0 to 100; one may always be ejected unless 0. */
  readonly maxEjectionPercent: number;
  /** Below this share of healthy endpoints ejection stops and all are used; 0: never. */
  readonly minHealthPercent: number;
}

/** `downstream`: h2 for requests that came over h2, HTTP/1.1 for the others (`useClientProtocol`). `tcp`: raw bytes only. */
export type UpstreamProtocol = "http1" | "http2" | "downstream" | "tcp";

/** TLS towards the upstream (DestinationRule `tls`). */
export interface UpstreamTls {
  /** Client certificate by the name of its secret resource (MUTUAL); null: none. */
  readonly certificate: string | null;
  /** Secret resource with the CA bundle; null: the system's. */
  readonly trustedCa: string | null;
  readonly crl: string | null;
  /** Server name sent; empty: the host of the request (Envoy's auto_sni). */
  readonly sni: string;
  /** Any of these must be a SAN of the upstream's certificate; empty: the server name must. */
  readonly subjectAltNames: readonly string[];
  /** `insecureSkipVerify`. */
  readonly acceptsUntrusted: boolean;
}

/** DestinationRule `connectionPool` and `retryBudget`, a worker's share. 0 means without limit, but for `idleTimeoutMs`, where it means never. */
export interface ClusterLimits {
  readonly maxConnections: number;
  /** Requests that may wait for a connection. */
  readonly maxPendingRequests: number;
  /** Requests under way at once. */
  readonly maxRequests: number;
  readonly maxRequestsPerConnection: number;
  /** Streams of one HTTP/2 connection. */
  readonly maxConcurrentStreams: number;
  readonly idleTimeoutMs: number;
  readonly maxConnectionDurationMs: number;
  /** TCP keep-alive; null: the system's default. */
  readonly tcpKeepaliveMs: number | null;
  /** PING on HTTP/2 connections that are silent for `intervalMs`, which close when it is not answered in time; null: none. */
  readonly http2Keepalive: { readonly intervalMs: number; readonly timeoutMs: number } | null;
  /** Retries under way at once. */
  readonly maxRetries: number;
  /** Instead of `maxRetries`: retries may be this share of the requests under way. */
  readonly retryBudget: RetryBudget | null;
}

export interface RetryBudget {
  /** 0 to 100, of the requests under way. */
  readonly percent: number;
  /** This many retries are allowed whatever the share. */
  readonly minRetryConcurrency: number;
  /** Requests that ended within this time count as under way too; 0: only those under way. */
  readonly intervalMs: number;
}

/** Istio's defaults: no limits, idle connections kept for an hour. */
export const defaultClusterLimits: ClusterLimits = {
  maxConnections: 0,
  maxPendingRequests: 0,
  maxRequests: 0,
  maxRequestsPerConnection: 0,
  maxConcurrentStreams: 0,
  idleTimeoutMs: 3_600_000,
  maxConnectionDurationMs: 0,
  tcpKeepaliveMs: null,
  http2Keepalive: null,
  maxRetries: 0,
  retryBudget: null,
};

/** A healthy endpoint of which only the address is known. */
export function plainEndpoint(address: string, port: number): Endpoint {
  return { address, port, weight: 1, healthy: true, locality: "", priority: 0 };
}

/** How an upstream without a traffic policy is reached. */
export const plainTransport = {
  protocol: "http1",
  tls: null,
  limits: defaultClusterLimits,
  balancer: { kind: "least-request" },
  warmup: null,
  outlierDetection: null,
  sendsProxyProtocol: null,
  destinationRule: null,
} as const satisfies Partial<Cluster>;
