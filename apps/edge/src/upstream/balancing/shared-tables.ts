// Rings and Maglev tables of this process. Many clusters have the same endpoints (subsets, ports, hosts of one service): equal tables are
// kept once, as long as somebody uses them.
import { createHash } from "node:crypto";
import type { HashBalancer } from "@sluice/core/model";
import type { HashTable, PlacedMember } from "./hash-table.ts";
import { MaglevTable } from "./maglev-table.ts";
import { RingTable } from "./ring-table.ts";

const known = new Map<string, WeakRef<HashTable>>();
const forgotten = new FinalizationRegistry<string>((key) => {
  if (known.get(key)?.deref() === undefined) known.delete(key);
});

/** The table of these members, made when there is none. Takes milliseconds for large ones: call it when it is needed, not before. */
export function sharedTable(members: readonly PlacedMember[], { kind, size }: HashBalancer): HashTable {
  const digest = createHash("sha256").update(`${kind} ${size}`);
  for (const { address, weight } of members) digest.update(`\n${address} ${weight}`);
  const key = digest.digest("base64url");
  const found = known.get(key)?.deref();
  if (found !== undefined) return found;
  const made = kind === "maglev" ? new MaglevTable(members, size) : new RingTable(members, size);
  known.set(key, new WeakRef(made));
  forgotten.register(made, key);
  return made;
}

/** Tables in use, for tests. */
export function sharedTableCount(): number {
  return known.size;
}
