// A table on its way to a worker: what changed since the table it serves, in portions small enough that decoding one is no pause.
import { diffManifests } from "@sluice/core/wire";
import type { Binding, ToWorker } from "../worker/messages.ts";
import { bytesOf, type TableBytes } from "./table-bytes.ts";

export interface LiveTable {
  readonly bytes: TableBytes;
  readonly bindings: Readonly<Record<string, Binding>>;
}

export type Stage = Extract<ToWorker, { type: "stage" }>;
export type Prepare = Extract<ToWorker, { type: "prepare" }>;

/** Decoding this much takes a worker about two milliseconds. */
const portionBytes = 32 * 1024;

/** The messages that make a worker which serves `base` prepare `next`; the last of them is answered. */
export function transferTable(next: LiveTable, base: LiveTable | null): { stages: Stage[]; prepare: Prepare } {
  const { version, manifest } = next.bytes;
  const { put, remove } = diffManifests(base?.bytes.manifest ?? [], manifest);
  const from = base?.bytes.version ?? null;
  const stages: Stage[] = [];
  let portion: Stage["resources"][number][] = [];
  let size = 0;
  for (const resource of bytesOf(next.bytes, put)) {
    portion.push(resource);
    size += resource[1].length;
    if (size < portionBytes) continue;
    stages.push({ type: "stage", version, base: from, resources: portion });
    [portion, size] = [[], 0];
  }
  stages.push({ type: "stage", version, base: from, resources: portion });
  return { stages, prepare: { type: "prepare", version, remove, bindings: next.bindings } };
}
