// Draws members at random by their weights.
import type { Balanced, Random } from "./balanced.ts";
import type { SlowStart } from "./slow-start.ts";

/** A draw that slow start turns down is repeated, but not for ever: an endpoint of next to no weight may be the only one. */
const maxDraws = 64;

export class WeightedDraw<T extends Balanced> {
  private readonly members: readonly T[];
  private readonly random: Random;
  private readonly slowStart: SlowStart | null;
  /** Sums of the weights up to and including each member; null when all weigh the same. */
  private readonly cumulative: Float64Array | null;

  constructor(members: readonly T[], random: Random, slowStart: SlowStart | null = null) {
    this.members = members;
    this.random = random;
    this.slowStart = slowStart;
    const isEven = members.every((member) => member.weight === members[0]?.weight);
    this.cumulative = isEven ? null : cumulativeWeights(members);
  }

  /** Null when there is no member. */
  draw(): T | null {
    const { slowStart } = this;
    if (slowStart === null || !slowStart.isUnderWay()) return this.drawByWeight();
    // Taking a member with the probability of its factor gives each weight × factor, without sums that change with time.
    for (let count = 1; count < maxDraws; count++) {
      const member = this.drawByWeight();
      if (member === null) return null;
      const factor = slowStart.factorOf(member);
      if (factor >= 1 || this.random() < factor) return member;
    }
    return this.drawByWeight();
  }

  private drawByWeight(): T | null {
    const { cumulative, members } = this;
    if (cumulative === null) return members[Math.floor(this.random() * members.length)] ?? null;
    const target = this.random() * (cumulative[cumulative.length - 1] ?? 0);
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] ?? 0) > target) high = middle;
      else low = middle + 1;
    }
    return members[low] ?? null;
  }
}

function cumulativeWeights(members: readonly Balanced[]): Float64Array {
  const sums = new Float64Array(members.length);
  let sum = 0;
  for (const [index, member] of members.entries()) {
    sum += member.weight;
    sums[index] = sum;
  }
  return sums;
}
