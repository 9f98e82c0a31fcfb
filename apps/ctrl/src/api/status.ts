// GET /v1/status: what is live where, since when, and what the last attempt said. Times are RFC 3339.
import type { Diagnostic } from "@sluice/core/model";
import type { EdgeStatus } from "../publish/edge-status.ts";
import type { ConvergenceReport } from "../push/convergence.ts";
import type { LastAttempt } from "../store/versions.ts";
import type { Services } from "./services.ts";

export interface StatusReport {
  readonly version: string | null;
  readonly since: string | null;
  readonly source: string;
  /** The latest stored version. */
  readonly number: number;
  readonly lastAttempt: {
    readonly at: string;
    readonly ok: boolean;
    readonly outcome: string;
    readonly origin: string;
    readonly version: string | null;
    readonly diagnostics: readonly Diagnostic[];
  } | null;
  readonly edges: readonly object[];
  readonly convergence: ConvergenceReport | null;
  readonly store: { readonly kind: string; readonly problem: string | null; readonly resources: number };
  readonly rollback: {
    readonly number: number;
    readonly at: string;
    readonly refused: readonly number[];
    readonly reason: string;
  } | null;
  readonly certificates: readonly {
    /** The secret's name, or the setting that names the certificate. */
    readonly name: string;
    readonly kind: string;
    readonly notAfter: string;
    readonly daysLeft: number;
    /** `fine`, `soon`, `urgent` or `expired`; see the settings `certificates`. */
    readonly stage: string;
  }[];
  readonly pid: number;
}

export async function reportStatus(services: Services): Promise<StatusReport> {
  const { tables, store, source, convergence } = services;
  const { current, lastAttempt } = tables;
  const { number, resources } = await store.read();
  const target = current === null ? null : { sequence: current.sequence, number: current.inputs.number };
  return {
    version: current?.table.version ?? null,
    since: current === null ? null : toTime(current.sinceMs),
    source,
    number,
    lastAttempt: lastAttempt === null ? null : reportAttempt(lastAttempt),
    edges: services.edges().map(reportEdge),
    convergence: target === null ? null : convergence.report(target),
    store: { ...store.health, resources: resources.size },
    rollback: await lastRollback(store),
    certificates: services.certificates().map(({ secret, notAfterMs, kind, daysLeft, stage }) => ({
      name: secret,
      kind,
      notAfter: toTime(notAfterMs),
      daysLeft,
      stage,
    })),
    pid: process.pid,
  };
}

export function toTime(ms: number): string {
  return new Date(ms).toISOString();
}

function reportAttempt({ atMs, outcome, origin, version, diagnostics }: LastAttempt) {
  const ok = outcome === "published" || outcome === "repeat";
  return { at: toTime(atMs), ok, outcome, origin, version, diagnostics };
}

async function lastRollback(store: Services["store"]): Promise<StatusReport["rollback"]> {
  const version = (await store.versions()).find(({ refused }) => refused.length > 0);
  if (version === undefined) return null;
  const { number, atMs, refused, reason } = version;
  return { number, at: toTime(atMs), refused, reason };
}

function reportEdge({
  id,
  productVersion,
  address,
  connectedSinceMs,
  version,
  pending,
  workers,
  listeners,
  nack,
  bytesSent,
  lastCommit,
}: EdgeStatus): object {
  return {
    id,
    productVersion,
    address,
    version,
    pending,
    listeners,
    connectedSince: toTime(connectedSinceMs),
    workers: workers.map(({ sinceMs, ...worker }) => ({ ...worker, since: toTime(sinceMs) })),
    nack:
      nack === null ? null : { version: nack.version, worker: nack.worker, reason: nack.reason, at: toTime(nack.atMs) },
    bytesSent,
    lastCommit:
      lastCommit === null
        ? null
        : {
            version: lastCommit.version,
            bytes: lastCommit.bytes,
            resources: lastCommit.resources,
            at: toTime(lastCommit.atMs),
          },
  };
}
