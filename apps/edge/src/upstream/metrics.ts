// Metrics of clusters and their connection pools.
import { type MetricJson, metricJson, type MetricValue } from "../observe/metric-json.ts";
import type { ClusterStats } from "./cluster-counters.ts";

/** One value a cluster and metric, from `ClusterManager.stats()`. */
export function upstreamMetrics(stats: readonly ClusterStats[]): MetricJson[] {
  const each = (value: (cluster: ClusterStats) => number): MetricValue[] =>
    stats.map((cluster) => ({ value: value(cluster), labels: { cluster: cluster.cluster } }));
  const connections = stats.flatMap(({ cluster, openConnections, idleConnections }): MetricValue[] => [
    { value: idleConnections, labels: { cluster, state: "idle" } },
    { value: openConnections - idleConnections, labels: { cluster, state: "active" } },
  ]);
  return [
    metricJson("sluice_upstream_connections", connections),
    metricJson(
      "sluice_upstream_active_requests",
      each((cluster) => cluster.activeRequests),
    ),
    metricJson(
      "sluice_upstream_pending_requests",
      each((cluster) => cluster.pendingRequests),
    ),
    metricJson(
      "sluice_upstream_connects_total",
      each((cluster) => cluster.connectTotal),
    ),
    metricJson(
      "sluice_upstream_connect_failures_total",
      each((cluster) => cluster.connectFailureTotal),
    ),
    metricJson(
      "sluice_upstream_connection_reuses_total",
      each((cluster) => cluster.reuseTotal),
    ),
    metricJson(
      "sluice_upstream_resends_total",
      each((cluster) => cluster.resendTotal),
    ),
    metricJson(
      "sluice_upstream_retries_total",
      each((cluster) => cluster.retryTotal),
    ),
    metricJson(
      "sluice_upstream_retries_refused_total",
      each((cluster) => cluster.retryOverflowTotal),
    ),
    ...outlierMetrics(stats),
  ];
}

/** Only of clusters that have ejected, or would have: most never do, and their zeros would be most of the page. */
function outlierMetrics(stats: readonly ClusterStats[]): MetricJson[] {
  const ejections = stats.flatMap(({ cluster, ejectionsTotal }): MetricValue[] =>
    Object.entries(ejectionsTotal)
      .filter(([, value]) => value > 0)
      .map(([reason, value]) => ({ value, labels: { cluster, reason } })),
  );
  const refused = stats
    .filter(({ refusedTotal }) => refusedTotal > 0)
    .map(({ cluster, refusedTotal }): MetricValue => ({ value: refusedTotal, labels: { cluster } }));
  const ejected = stats.flatMap(({ cluster, ejected: endpoints }): MetricValue[] =>
    endpoints.map(({ endpoint, reason }) => ({ value: 1, labels: { cluster, endpoint, reason } })),
  );
  return [
    metricJson("sluice_upstream_ejections_total", ejections),
    metricJson("sluice_upstream_ejections_refused_total", refused),
    metricJson("sluice_upstream_ejected_endpoints", ejected),
  ];
}
