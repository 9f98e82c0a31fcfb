// GET /v1/status and /v1/versions: what is live where, since when, and what the last attempt said. Times are RFC 3339.
import type { Diagnostic } from "@sluice/core/model";
import type { CertificateStatus } from "../publish/certificate-watch.ts";
import type { EdgeStatus } from "../publish/edge-status.ts";
import type { VersionEntry, VersionStore } from "../store/versions.ts";

export interface ControlPlaneState {
  readonly store: VersionStore;
  /** The watched directory. */
  readonly source: string;
  edges(): readonly EdgeStatus[];
  /** Nearest end first. */
  certificates(): readonly CertificateStatus[];
}

export interface StatusReport {
  readonly version: string | null;
  readonly since: string | null;
  readonly source: string;
  readonly lastAttempt: {
    readonly at: string;
    readonly ok: boolean;
    /** `published`, `repeat`, `invalid` or `withheld`. */
    readonly outcome: string;
    readonly version: string | null;
    readonly diagnostics: readonly Diagnostic[];
  } | null;
  readonly edges: readonly object[];
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

export function reportStatus(state: ControlPlaneState): StatusReport {
  const { current, lastAttempt } = state.store;
  return {
    version: current?.table.version ?? null,
    since: current === null ? null : toTime(current.sinceMs),
    source: state.source,
    lastAttempt:
      lastAttempt === null
        ? null
        : {
            at: toTime(lastAttempt.atMs),
            ok: lastAttempt.outcome === "published" || lastAttempt.outcome === "repeat",
            outcome: lastAttempt.outcome,
            version: lastAttempt.version,
            diagnostics: lastAttempt.diagnostics,
          },
    edges: state.edges().map(reportEdge),
    certificates: state.certificates().map(({ secret, notAfterMs, kind, daysLeft, stage }) => ({
      name: secret,
      kind,
      notAfter: toTime(notAfterMs),
      daysLeft,
      stage,
    })),
    pid: process.pid,
  };
}

export function reportVersions(history: readonly VersionEntry[]): readonly object[] {
  return history.map(({ sinceMs, ...entry }) => ({ ...entry, since: toTime(sinceMs) }));
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
    connectedSince: toTime(connectedSinceMs),
    version,
    pending,
    workers: workers.map(({ sinceMs, ...worker }) => ({ ...worker, since: toTime(sinceMs) })),
    listeners,
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

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
