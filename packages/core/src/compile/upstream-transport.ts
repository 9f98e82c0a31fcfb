// How the endpoints of a cluster are reached: protocol, TLS, limits and PROXY header, from the port and its DestinationRule
// (istio-semantics 1.3 and 2.7).
import {
  type Cluster,
  type ClusterLimits,
  type ConnectionPoolSettings,
  defaultClusterLimits,
  type DestinationRuleSpec,
  type FieldPath,
  parseDurationMs,
  type PortTrafficPolicy,
  type Resource,
  type UpstreamProtocol,
} from "../model/index.ts";
import { declaresHttp2 } from "./port-protocol.ts";
import type { SecretCollector } from "./secrets.ts";
import type { KnownPort } from "./service-registry.ts";
import { buildUpstreamTls } from "./upstream-tls.ts";

export type UpstreamTransport = Pick<
  Cluster,
  | "connectTimeoutMs"
  | "protocol"
  | "tls"
  | "limits"
  | "balancer"
  | "warmup"
  | "outlierDetection"
  | "sendsProxyProtocol"
  | "destinationRule"
>;

export interface TransportQuestion {
  readonly known: KnownPort;
  readonly rule: Resource<DestinationRuleSpec> | null;
  /** True when an HTTP route leads to the cluster; else only raw connections do. */
  readonly carriesHttp: boolean;
  readonly secrets: SecretCollector;
}

export function buildTransport({ known, rule, carriesHttp, secrets }: TransportQuestion): UpstreamTransport {
  const portNumber = known.kind === "service" ? known.port.port : known.port.number;
  const { policy, path } = policyOfPort(rule, portNumber);
  const pool = policy.connectionPool ?? {};
  const proxyProtocol = rule?.spec.trafficPolicy?.proxyProtocol;
  const entrySans = known.kind === "entry" ? known.entry.spec.subjectAltNames : undefined;
  const isTls = rule !== null && (policy.tls?.mode === "SIMPLE" || policy.tls?.mode === "MUTUAL");
  return {
    connectTimeoutMs: duration(pool.tcp?.connectTimeout) ?? defaultConnectTimeoutMs,
    protocol: chooseProtocol(known, pool, carriesHttp),
    tls: isTls ? buildUpstreamTls(policy.tls ?? {}, { rule, path, secrets, entrySans: entrySans ?? [] }) : null,
    limits: buildLimits(pool, carriesHttp),
    balancer: { kind: "least-request" },
    warmup: null,
    outlierDetection: null,
    sendsProxyProtocol: proxyProtocol === undefined ? null : (proxyProtocol.version ?? "V1"),
    destinationRule: rule === null ? null : describeRule(rule),
  };
}

function describeRule({ namespace, name, document }: Resource<DestinationRuleSpec>): Cluster["destinationRule"] {
  return { namespace, name, apiVersion: document.apiVersion };
}

/** Istio's default. */
const defaultConnectTimeoutMs = 10_000;

/** Settings of a port replace the destination's as a whole: what they leave out is the default, not the destination's. */
function policyOfPort(
  rule: Resource<DestinationRuleSpec> | null,
  port: number,
): { readonly policy: PortTrafficPolicy; readonly path: FieldPath } {
  const top = rule?.spec.trafficPolicy ?? {};
  const settings = top.portLevelSettings ?? [];
  const index = settings.findIndex((candidate) => candidate.port.number === port);
  const path = ["spec", "trafficPolicy"];
  const ofPort = settings[index];
  return ofPort === undefined ? { policy: top, path } : { policy: ofPort, path: [...path, "portLevelSettings", index] };
}

// `tcp` where nothing but raw connections lead here: what a port is named cannot make a route HTTP, but an HTTP route to a port named
// `tcp-x` is served as HTTP/1.1, as Envoy does.
function chooseProtocol(
  known: KnownPort,
  { http = {} }: ConnectionPoolSettings,
  carriesHttp: boolean,
): UpstreamProtocol {
  if (!carriesHttp) return "tcp";
  if (http.useClientProtocol === true) return "downstream";
  return http.h2UpgradePolicy === "UPGRADE" || declaresHttp2(known) ? "http2" : "http1";
}

function buildLimits({ tcp = {}, http = {} }: ConnectionPoolSettings, carriesHttp: boolean): ClusterLimits {
  const httpIdleTimeout = carriesHttp ? http.idleTimeout : undefined;
  return {
    maxConnections: tcp.maxConnections ?? defaultClusterLimits.maxConnections,
    maxPendingRequests: http.http1MaxPendingRequests ?? defaultClusterLimits.maxPendingRequests,
    maxRequests: http.http2MaxRequests ?? defaultClusterLimits.maxRequests,
    maxRequestsPerConnection: http.maxRequestsPerConnection ?? defaultClusterLimits.maxRequestsPerConnection,
    maxConcurrentStreams: http.maxConcurrentStreams ?? defaultClusterLimits.maxConcurrentStreams,
    idleTimeoutMs: duration(httpIdleTimeout ?? tcp.idleTimeout) ?? defaultClusterLimits.idleTimeoutMs,
    maxConnectionDurationMs: duration(tcp.maxConnectionDuration) ?? defaultClusterLimits.maxConnectionDurationMs,
    http2Keepalive: null,
    maxRetries: 0,
    retryBudget: null,
    tcpKeepaliveMs: tcp.tcpKeepalive === undefined ? null : (duration(tcp.tcpKeepalive.time) ?? systemKeepaliveMs),
  };
}

/** Linux' `tcp_keepalive_time`, for `tcpKeepalive: {}`, which switches probes on and says nothing else. */
const systemKeepaliveMs = 7_200_000;

/** The longest time that a timer of Node.js can wait, about 25 days. Longer ones would fire at once. */
const longestTimerMs = 2_147_483_647;

function duration(text: string | undefined): number | null {
  const durationMs = text === undefined ? null : parseDurationMs(text);
  return durationMs === null ? null : Math.min(durationMs, longestTimerMs);
}
