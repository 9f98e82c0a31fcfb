// The text of /stats/prometheus: what the workers counted, added up, and what only the primary knows.
import { AggregatorRegistry } from "prom-client";
import { certificateExpiries, daysLeft } from "@sluice/core/model";
import { type MetricJson, metricJson } from "../observe/metric-json.ts";
import type { CtrlClient } from "./ctrl-client.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** What the primary counts itself. */
export interface EdgeCounts {
  liveSinceMs: number;
  acceptedTables: number;
  refusedTables: number;
  /** Resources that the last commit brought. */
  lastCommitResources: number;
}

export interface ScrapeSource {
  readonly pool: WorkerPool;
  readonly counts: EdgeCounts;
  readonly ctrl: CtrlClient;
  /** Null where this edge shows ctrl no certificate. */
  readonly ctrlCertificateEndMs: number | null;
}

export const prometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

/** Collects from every worker and renders. A worker that does not answer in time is left out of this scrape. */
export async function renderPrometheus(source: ScrapeSource): Promise<string> {
  const parts = [...(await source.pool.metrics()), primaryMetrics(source)].map((part) =>
    part.filter(({ values }) => values.length > 0),
  );
  // prom-client's own aggregation for node:cluster.
  return AggregatorRegistry.aggregate(parts).metrics();
}

function primaryMetrics({ pool, counts, ctrl, ctrlCertificateEndMs }: ScrapeSource): MetricJson[] {
  const live = pool.live?.bytes;
  const expiries = certificateExpiries(live?.decoded.table.secrets ?? []);
  if (ctrlCertificateEndMs !== null)
    expiries.push({ secret: "edge.ctrlTls", kind: "client", notAfterMs: ctrlCertificateEndMs });
  const nowMs = Date.now();
  const byType = new Map<string, number>();
  for (const { type } of live?.manifest ?? []) byType.set(type, (byType.get(type) ?? 0) + 1);
  return [
    metricJson("sluice_workers", [
      { value: pool.slots.filter((slot) => slot.version === live?.version).length, labels: {} },
    ]),
    metricJson("sluice_worker_restarts_total", [{ value: pool.restarts, labels: {} }]),
    metricJson("sluice_ctrl_connected", [{ value: ctrl.connectedTo === null ? 0 : 1, labels: {} }]),
    metricJson("sluice_ctrl_connections_total", [{ value: ctrl.received.connections, labels: {} }]),
    metricJson("sluice_ctrl_received_bytes_total", [{ value: ctrl.received.bytes, labels: {} }]),
    metricJson("sluice_ctrl_last_commit_resources", [{ value: counts.lastCommitResources, labels: {} }]),
    metricJson("sluice_table_info", live === undefined ? [] : [{ value: 1, labels: { version: live.version } }]),
    metricJson(
      "sluice_table_live_timestamp_seconds",
      live === undefined ? [] : [{ value: counts.liveSinceMs / 1000, labels: {} }],
    ),
    metricJson("sluice_table_updates_total", [
      { value: counts.acceptedTables, labels: { result: "accepted" } },
      { value: counts.refusedTables, labels: { result: "refused" } },
    ]),
    metricJson(
      "sluice_table_resources",
      [...byType].map(([type, value]) => ({ value, labels: { type } })),
    ),
    metricJson(
      "sluice_certificate_expiration_timestamp_seconds",
      expiries.map(({ secret, kind, notAfterMs }) => ({ value: notAfterMs / 1000, labels: { secret, kind } })),
    ),
    metricJson(
      "sluice_certificate_days_left",
      expiries.map((expiry) => ({
        value: daysLeft(expiry, nowMs),
        labels: { secret: expiry.secret, kind: expiry.kind },
      })),
    ),
  ];
}
