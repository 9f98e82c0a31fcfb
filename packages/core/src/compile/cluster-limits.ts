// `connectionPool` and `retryBudget` of a traffic policy as the limits of a cluster (istio-semantics 1.3).
import {
  type ClusterLimits,
  type ConnectionPoolSettings,
  defaultClusterLimits,
  type RetryBudget,
  type RetryBudgetSettings,
} from "../model/index.ts";
import { timerMs } from "./duration.ts";
import type { EffectivePolicy } from "./effective-policy.ts";

/** `carriesHttp`: an HTTP route leads to the cluster, so HTTP's idle timeout counts. */
export function buildLimits({ connectionPool, retryBudget }: EffectivePolicy, carriesHttp: boolean): ClusterLimits {
  const { tcp = {}, http = {} }: ConnectionPoolSettings = connectionPool ?? {};
  const httpIdleTimeout = carriesHttp ? http.idleTimeout : undefined;
  const interval = timerMs(http.http2KeepAlive?.interval);
  const timeout = timerMs(http.http2KeepAlive?.timeout);
  return {
    maxConnections: tcp.maxConnections ?? defaultClusterLimits.maxConnections,
    maxPendingRequests: http.http1MaxPendingRequests ?? defaultClusterLimits.maxPendingRequests,
    maxRequests: http.http2MaxRequests ?? defaultClusterLimits.maxRequests,
    maxRequestsPerConnection: http.maxRequestsPerConnection ?? defaultClusterLimits.maxRequestsPerConnection,
    maxConcurrentStreams: http.maxConcurrentStreams ?? defaultClusterLimits.maxConcurrentStreams,
    idleTimeoutMs: timerMs(httpIdleTimeout ?? tcp.idleTimeout) ?? defaultClusterLimits.idleTimeoutMs,
    maxConnectionDurationMs: timerMs(tcp.maxConnectionDuration) ?? defaultClusterLimits.maxConnectionDurationMs,
    tcpKeepaliveMs: tcp.tcpKeepalive === undefined ? null : (timerMs(tcp.tcpKeepalive.time) ?? systemKeepaliveMs),
    http2Keepalive: interval === null || timeout === null ? null : { intervalMs: interval, timeoutMs: timeout },
    // A budget takes the place of the fixed number.
    maxRetries: retryBudget === undefined ? (http.maxRetries ?? defaultClusterLimits.maxRetries) : 0,
    retryBudget: retryBudget === undefined ? null : buildRetryBudget(retryBudget),
  };
}

function buildRetryBudget({ percent, minRetryConcurrency, budgetInterval }: RetryBudgetSettings): RetryBudget {
  return {
    percent: percent ?? 20,
    minRetryConcurrency: minRetryConcurrency ?? 3,
    intervalMs: timerMs(budgetInterval) ?? 0,
  };
}

/** Linux' `tcp_keepalive_time`, for `tcpKeepalive: {}`, which switches probes on and says nothing else. */
const systemKeepaliveMs = 7_200_000;
