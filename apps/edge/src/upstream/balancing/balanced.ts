// What balancing knows of an endpoint, and what every way of choosing one among several offers.

/** An endpoint as far as balancing is concerned. */
export interface Balanced {
  /** `127.0.0.1:8000`: what consistent hashing places it by. */
  readonly address: string;
  readonly activeRequests: number;
  /** Positive. */
  readonly weight: number;
  /** Monotonic milliseconds when it became known to its cluster. */
  readonly knownSinceMs: number;
}

/** An endpoint that outlier detection may have taken out. */
export interface Ejectable extends Balanced {
  readonly isEjected: boolean;
}

/** Returns a number in [0, 1). */
export type Random = () => number;

/** One way of choosing. Immutable in its members: a cluster makes a new one when they change. */
export interface SimpleChoice<T> {
  /** Null when there is no member. */
  choose(): T | null;
}
