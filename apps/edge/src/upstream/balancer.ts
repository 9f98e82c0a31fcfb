// LEAST_REQUEST as Envoy does it by default: two endpoints at random, the one with fewer requests under way wins. Nearly as even as
// asking all of them, and no herd runs to the one endpoint that has just become free.

/** An endpoint as far as balancing is concerned. */
export interface Balanced {
  readonly activeRequests: number;
  /** Positive. */
  readonly weight: number;
}

/** Returns a number in [0, 1). */
export type Random = () => number;

/** Immutable: a cluster makes a new one when its endpoints change. */
export class LeastRequestBalancer<T extends Balanced> {
  private readonly candidates: readonly T[];
  private readonly random: Random;
  /** Sums of the weights up to and including each candidate; null when all weigh the same. */
  private readonly cumulative: Float64Array | null;

  constructor(candidates: readonly T[], random: Random = Math.random) {
    this.candidates = candidates;
    this.random = random;
    const isEven = candidates.every((candidate) => candidate.weight === candidates[0]?.weight);
    this.cumulative = isEven ? null : cumulativeWeights(candidates);
  }

  /** Null when there is no candidate. */
  choose(): T | null {
    const { candidates } = this;
    if (candidates.length < 2) return candidates[0] ?? null;
    const first = candidates[this.draw()];
    const second = candidates[this.draw()];
    if (first === undefined || second === undefined) return null;
    // The draw already follows the weights; load is compared per weight, and a tie goes to the draw.
    return second.activeRequests * first.weight < first.activeRequests * second.weight ? second : first;
  }

  private draw(): number {
    const { candidates, cumulative } = this;
    if (cumulative === null) return Math.floor(this.random() * candidates.length);
    const target = this.random() * (cumulative[cumulative.length - 1] ?? 0);
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((cumulative[middle] ?? 0) > target) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function cumulativeWeights(candidates: readonly Balanced[]): Float64Array {
  const sums = new Float64Array(candidates.length);
  let sum = 0;
  for (const [index, candidate] of candidates.entries()) {
    sum += candidate.weight;
    sums[index] = sum;
  }
  return sums;
}
