// What ring and Maglev table are to who looks a hash up: a circle of slots, each owned by a member.
import type { Hash64 } from "./xx-hash-64.ts";

export interface HashTable {
  /** Members by slot, as indices into the list the table was made of. */
  readonly owners: Uint16Array | Uint32Array;
  /** The slot of a hash. */
  slotOf(hash: Hash64): number;
}

/** A member as far as its place is concerned: nothing but this decides, so that all workers of all machines agree. */
export interface PlacedMember {
  readonly address: string;
  readonly weight: number;
}

/** Indices in as few bytes as they need. */
export function ownerArray(slots: number, members: number): Uint16Array | Uint32Array {
  return members <= 0x10000 ? new Uint16Array(slots) : new Uint32Array(slots);
}
