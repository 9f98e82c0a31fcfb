// Numbers out of numbers: medians, quantiles, and ratios of two contenders that were measured in the same rounds.

/** Median and how far the rounds lay apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The middle value, or the mean of the two in the middle. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? Number.NaN)) / 2 : upper;
}

export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) };
}

/**
 * How many times the peer's value ours is. Divided round by round, so that what slowed a whole round (a neighbour, a hot processor)
 * touches both and cancels out; then the median of the quotients.
 */
export function ratio(ours: readonly number[], peers: readonly number[]): Spread {
  const rounds = Math.min(ours.length, peers.length);
  return spread(
    Array.from({ length: rounds }, (_, round) => (ours[round] ?? Number.NaN) / (peers[round] ?? Number.NaN)),
  );
}

export interface Latency {
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Percentiles, by nearest rank, of single latencies in milliseconds. NaN of none. */
export function latencyOf(valuesMs: Float64Array): Latency {
  const sorted = valuesMs.toSorted();
  const at = (part: number) => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
  return { p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), maxMs: at(1) };
}

/**
 * Puts back what a generator could not send because a contender kept it waiting (coordinated omission, after Gil Tene's HdrHistogram):
 * requests are due every `intervalMs` on a channel that can have one under way, so a latency of more than that stands for those that were due
 * meanwhile and would have waited for the rest of it.
 */
export function correctOmission(valuesMs: readonly number[], intervalMs: number): Float64Array {
  const omitted: number[] = [];
  for (const value of valuesMs) {
    for (let rest = value - intervalMs; rest > 0; rest -= intervalMs) omitted.push(rest);
  }
  return Float64Array.from([...valuesMs, ...omitted]);
}
