// GET /v1/versions: the stored versions, and between them the tables that the directory alone made, newest first.
import type { Change, VersionRecord } from "../store/resource-store.ts";
import type { VersionEntry } from "../store/versions.ts";
import { toTime } from "./status.ts";

const maxChanges = 20;

interface ListedVersion {
  readonly atMs: number;
  readonly line: object;
}

/** @param tables what this ctrl published since it started, newest first */
export function listVersions(stored: readonly VersionRecord[], tables: readonly VersionEntry[]): readonly object[] {
  const isStored = new Set(stored.map(({ number }) => number));
  // After a restart the directory is read first, and makes what was stored last: nothing new.
  const isAgain = (entry: VersionEntry) => entry === tables.at(-1) && entry.version === digestOf(stored, entry.number);
  // A push is told by what is stored of it; so is the rollback that followed it.
  const others = tables.filter(
    (entry) => !isAgain(entry) && (entry.origin === "directory" || !isStored.has(entry.number)),
  );
  const lines = [...stored.map((version) => describeStored(version, stored, tables)), ...others.map(describeTable)];
  return lines.toSorted((left, right) => right.atMs - left.atMs).map(({ line }) => line);
}

function digestOf(stored: readonly VersionRecord[], wanted: number): string | null {
  return stored.find(({ number }) => number === wanted)?.digest ?? null;
}

function describeStored(
  version: VersionRecord,
  stored: readonly VersionRecord[],
  tables: readonly VersionEntry[],
): ListedVersion {
  const { number, atMs, author, reason, digest, restores, refused, changes } = version;
  const undone = stored.find((later) => later.refused.includes(number));
  const table = tables.find((entry) => entry.number === number && entry.version === digest);
  const isLatest = stored[0]?.number === number;
  const line = {
    number,
    version: digest,
    since: toTime(atMs),
    author,
    reason,
    source: restores === null ? "push" : `rollback to ${restores}`,
    state: undone !== undefined ? "refused" : isLatest ? "current" : "superseded",
    refusal: undone?.reason ?? "",
    restores,
    refused,
    summary: summarize(changes),
    changes: changes.slice(0, maxChanges),
    errors: table?.errors ?? null,
    warnings: table?.warnings ?? null,
  };
  return { atMs, line };
}

function describeTable({ version, sinceMs, source, state, reason, errors, warnings }: VersionEntry): ListedVersion {
  const line = {
    number: null,
    version,
    since: toTime(sinceMs),
    author: null,
    reason,
    source,
    state,
    refusal: reason,
    restores: null,
    refused: [],
    summary: summarize([]),
    changes: [],
    errors,
    warnings,
  };
  return { atMs: sinceMs, line };
}

export function summarize(changes: readonly Change[]) {
  const count = (wanted: Change["change"]) => changes.filter(({ change }) => change === wanted).length;
  return { added: count("added"), changed: count("changed"), removed: count("removed") };
}
