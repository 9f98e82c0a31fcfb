// Maglev's table (Eisenbud et al., NSDI 2016, listing 1, with Envoy's weights): members take free slots in turn, each in an order of its
// own. Shares are more even than a ring's; taking one away moves a few other keys too.
import { type HashTable, ownerArray, type PlacedMember } from "./hash-table.ts";
import { Hash64, xxHash64 } from "./xx-hash-64.ts";

interface Claim {
  /** The next slot it asks for, and how far it is to the one after. */
  slot: number;
  readonly skip: number;
  readonly weight: number;
  target: number;
}

export class MaglevTable implements HashTable {
  readonly owners: Uint16Array | Uint32Array;

  /** @param size a prime: only then every skip visits every slot */
  constructor(members: readonly PlacedMember[], size: number) {
    this.owners = ownerArray(size, members.length);
    const heaviest = members.reduce((most, { weight }) => Math.max(most, weight), 0);
    const claims = members.map((member) => claimOf(member, size));
    const isTaken = new Uint8Array(size);
    let taken = 0;
    for (let round = 1; taken < size && claims.length > 0; round++) {
      for (let index = 0; index < claims.length && taken < size; index++) {
        const claim = claims[index] as Claim;
        // The heaviest takes a slot in every round, one of a third of its weight in every third.
        if (round * claim.weight < claim.target) continue;
        claim.target += heaviest;
        while (isTaken[claim.slot] === 1) claim.slot = (claim.slot + claim.skip) % size;
        isTaken[claim.slot] = 1;
        this.owners[claim.slot] = index;
        taken++;
      }
    }
  }

  slotOf(hash: Hash64): number {
    return hash.modulo(this.owners.length);
  }
}

function claimOf({ address, weight }: PlacedMember, size: number): Claim {
  const hash = new Hash64();
  xxHash64(address, hash);
  const slot = hash.modulo(size);
  xxHash64(address, hash, 1);
  return { slot, skip: hash.modulo(size - 1) + 1, weight, target: 0 };
}
