// Consistent hashing: a key's slot in the table names its endpoint. One that may not be used (ejected, tried before) is passed over for
// the owner of the next slot, so its keys alone move, and come back with it: no new table is made for an ejection.
import type { HashBalancer } from "@sluice/core/model";
import type { Ejectable } from "./balanced.ts";
import type { HashTable } from "./hash-table.ts";
import { sharedTable } from "./shared-tables.ts";
import type { Hash64 } from "./xx-hash-64.ts";

/** With nine of ten endpoints unusable a walk this long still finds one in all but 1 of 10^46 cases. */
const maxPassedOver = 1024;

export class HashChoice<T extends Ejectable> {
  /** In a panic: ejected members are used like the others. */
  usesEjected: boolean;
  private readonly balancer: HashBalancer;
  /** By address: the order that endpoints are listed or resolved in must not matter. */
  private readonly members: readonly T[];
  private table: HashTable | null;

  constructor(members: readonly T[], balancer: HashBalancer) {
    this.usesEjected = false;
    this.balancer = balancer;
    this.members = members.toSorted(byAddress);
    this.table = null;
  }

  /** The member of a hash; the next one that is usable and not in `avoided`, if it is not. Null when none is. */
  choose(hash: Hash64, avoided: readonly T[]): T | null {
    const { members, usesEjected } = this;
    if (members.length === 0) return null;
    const table = (this.table ??= sharedTable(members, this.balancer));
    const { owners } = table;
    let slot = table.slotOf(hash);
    for (let count = Math.min(owners.length, maxPassedOver); count > 0; count--) {
      const member = members[owners[slot] ?? 0];
      if (member !== undefined && isUsable(member, usesEjected, avoided)) return member;
      slot = slot + 1 < owners.length ? slot + 1 : 0;
    }
    // Hardly one is left: the first of them, rather than a walk through all slots for every request.
    for (const member of members) if (isUsable(member, usesEjected, avoided)) return member;
    return null;
  }
}

function isUsable<T extends Ejectable>(member: T, usesEjected: boolean, avoided: readonly T[]): boolean {
  return (usesEjected || !member.isEjected) && !(avoided.length > 0 && avoided.includes(member));
}

function byAddress(a: Ejectable, b: Ejectable): number {
  return a.address < b.address ? -1 : a.address > b.address ? 1 : 0;
}
