// How requests are shared among priority levels (Envoy's): the first takes all while it is healthy enough, then spills over to the next.

/** Envoy's overprovisioning factor: a level counts as wholly healthy until fewer than 1/1.4 (72 %) of its endpoints are. */
const overprovisioning = 1.4;

export interface LevelHealth {
  readonly total: number;
  readonly healthy: number;
}

export interface LevelLoad {
  /** Percent of the requests; all levels together have 100, or 0 when there is nobody to send them to. */
  readonly percent: number;
  /** Too few are healthy: ejected endpoints are used as well. */
  readonly isPanicking: boolean;
}

/**
 * The load of each level.
 *
 * @param panicPercent below this share of healthy endpoints a level panics, unless other levels can take its load; 0: never (Istio's
 *   default: what is ejected stays ejected)
 */
export function loadOfLevels(levels: readonly LevelHealth[], panicPercent: number): LevelLoad[] {
  const health = levels.map(({ healthy, total }) =>
    total === 0 ? 0 : Math.min(100, Math.floor((overprovisioning * 100 * healthy) / total)),
  );
  const available = Math.min(
    100,
    health.reduce((sum, percent) => sum + percent, 0),
  );
  const isPanicking = levels.map(
    ({ healthy, total }) => available < 100 && total > 0 && (100 * healthy) / total < panicPercent,
  );
  const populated = levels.filter(({ total }) => total > 0);
  // Envoy's total panic: health says nothing any more, so requests are shared by size.
  if (populated.length > 0 && levels.every(({ total }, index) => total === 0 || isPanicking[index] === true)) {
    const sum = populated.reduce((count, { total }) => count + total, 0);
    return levels.map(({ total }) => ({ percent: (100 * total) / sum, isPanicking: total > 0 }));
  }
  if (available === 0) return levels.map((_, index) => ({ percent: 0, isPanicking: isPanicking[index] === true }));
  let remaining = 100;
  return health.map((percent, index) => {
    const share = Math.min(remaining, (100 * percent) / available);
    remaining -= share;
    return { percent: share, isPanicking: isPanicking[index] === true };
  });
}
