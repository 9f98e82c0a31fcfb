// The shape of a cluster on the wire.
import type {
  Balancer,
  Cluster,
  ClusterLimits,
  Endpoint,
  HashBalancer,
  HashKey,
  OutlierDetection,
  RetryBudget,
  SimpleBalancer,
  UpstreamTls,
  Warmup,
} from "../model/index.ts";
import { byKind, count, flag, list, nullable, object, oneOf, percentage, port, positive, text } from "./codec.ts";

const endpoint = object<Endpoint>({
  address: text,
  port,
  weight: positive,
  healthy: flag,
  locality: text,
  priority: count,
});

const hashKey = byKind<HashKey>({
  header: object({ kind: oneOf("header"), name: text }),
  cookie: object({
    kind: oneOf("cookie"),
    name: text,
    path: text,
    ttlMs: nullable(count),
    attributes: list(text),
  }),
  "source-ip": object({ kind: oneOf("source-ip") }),
  query: object({ kind: oneOf("query"), name: text }),
});

const simpleBalancer = object<SimpleBalancer>({ kind: oneOf("least-request", "round-robin", "random") });
const hashBalancer = object<HashBalancer>({ kind: oneOf("ring-hash", "maglev"), key: hashKey, size: count });

const balancer = byKind<Balancer>({
  "least-request": simpleBalancer,
  "round-robin": simpleBalancer,
  random: simpleBalancer,
  "ring-hash": hashBalancer,
  maglev: hashBalancer,
});

export const clusterCodec = object<Cluster>({
  name: text,
  host: text,
  port,
  subset: text,
  discovery: oneOf("EDS", "STATIC", "STRICT_DNS", "LOGICAL_DNS"),
  connectTimeoutMs: count,
  protocol: oneOf("http1", "http2", "downstream", "tcp"),
  tls: nullable(
    object<UpstreamTls>({
      certificate: nullable(text),
      trustedCa: nullable(text),
      crl: nullable(text),
      sni: text,
      subjectAltNames: list(text),
      acceptsUntrusted: flag,
    }),
  ),
  limits: object<ClusterLimits>({
    maxConnections: count,
    maxPendingRequests: count,
    maxRequests: count,
    maxRequestsPerConnection: count,
    maxConcurrentStreams: count,
    idleTimeoutMs: count,
    maxConnectionDurationMs: count,
    tcpKeepaliveMs: nullable(count),
    http2Keepalive: nullable(object({ intervalMs: count, timeoutMs: count })),
    maxRetries: count,
    retryBudget: nullable(object<RetryBudget>({ percent: percentage, minRetryConcurrency: count, intervalMs: count })),
  }),
  balancer,
  warmup: nullable(object<Warmup>({ durationMs: count, minimumPercent: percentage, aggression: positive })),
  outlierDetection: nullable(
    object<OutlierDetection>({
      consecutive5xx: count,
      consecutiveGatewayErrors: count,
      consecutiveLocalErrors: count,
      splitsLocalErrors: flag,
      errorCodes: list(count),
      intervalMs: count,
      baseEjectionTimeMs: count,
      maxEjectionPercent: percentage,
      minHealthPercent: percentage,
    }),
  ),
  sendsProxyProtocol: nullable(oneOf("V1", "V2")),
  destinationRule: nullable(object({ namespace: text, name: text, apiVersion: text })),
  endpoints: list(endpoint),
});
