// How the endpoints of a cluster are chosen and reached: balancer, protocol, TLS, limits and PROXY header, from the port and its traffic
// policy (istio-semantics 1.3 and 2.7).
import type { Cluster, ConnectionPoolSettings, UpstreamProtocol } from "../model/index.ts";
import { buildBalancer, buildWarmup } from "./balancer.ts";
import { buildLimits } from "./cluster-limits.ts";
import { timerMs } from "./duration.ts";
import type { EffectivePolicy } from "./effective-policy.ts";
import { buildOutlierDetection } from "./outlier-detection.ts";
import { declaresHttp2 } from "./port-protocol.ts";
import type { SecretCollector } from "./secrets.ts";
import type { KnownPort } from "./service-registry.ts";
import { buildUpstreamTls } from "./upstream-tls.ts";

export type UpstreamTransport = Pick<
  Cluster,
  "connectTimeoutMs" | "protocol" | "tls" | "limits" | "balancer" | "warmup" | "outlierDetection" | "sendsProxyProtocol"
>;

export interface TransportQuestion {
  readonly known: KnownPort;
  readonly policy: EffectivePolicy;
  /** True when an HTTP route leads to the cluster; else only raw connections do. */
  readonly carriesHttp: boolean;
  readonly secrets: SecretCollector;
}

export function buildTransport({ known, policy, carriesHttp, secrets }: TransportQuestion): UpstreamTransport {
  const { connectionPool: pool = {}, outlierDetection, proxyProtocol, tls } = policy;
  const balancer = buildBalancer(policy.loadBalancer ?? {});
  const entrySans = known.kind === "entry" ? (known.entry.spec.subjectAltNames ?? []) : [];
  const isTls = tls?.settings.mode === "SIMPLE" || tls?.settings.mode === "MUTUAL";
  return {
    connectTimeoutMs: timerMs(pool.tcp?.connectTimeout) ?? defaultConnectTimeoutMs,
    protocol: chooseProtocol(known, pool, carriesHttp),
    tls: tls !== undefined && isTls ? buildUpstreamTls(tls, { secrets, entrySans }) : null,
    limits: buildLimits(policy, carriesHttp),
    balancer,
    warmup: buildWarmup(policy.loadBalancer ?? {}, balancer),
    outlierDetection: outlierDetection === undefined ? null : buildOutlierDetection(outlierDetection),
    sendsProxyProtocol: proxyProtocol === undefined ? null : (proxyProtocol.version ?? "V1"),
  };
}

/** Istio's default. */
const defaultConnectTimeoutMs = 10_000;

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
