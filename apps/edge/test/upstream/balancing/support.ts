// Endpoints and randomness for tests of balancers.
import type { Choosable } from "../../../src/upstream/balancing/endpoint-chooser.ts";

export interface Candidate extends Choosable {
  activeRequests: number;
  weight: number;
  isEjected: boolean;
  knownSinceMs: number;
  chosen: number;
}

export function candidate(address: string, rest: Partial<Candidate> = {}): Candidate {
  return {
    address,
    activeRequests: 0,
    weight: 1,
    isEjected: false,
    knownSinceMs: -Infinity,
    priority: 0,
    chosen: 0,
    ...rest,
  };
}

/** Endpoints `10.0.0.1:80`, `10.0.0.2:80`, ... */
export function candidates(howMany: number): Candidate[] {
  return Array.from({ length: howMany }, (_, index) => candidate(`10.0.${index >> 8}.${index & 255}:80`));
}

export function weighted(weights: readonly number[]): Candidate[] {
  return weights.map((weight, index) => candidate(`10.0.0.${index}:80`, { weight }));
}

/** A fixed sequence of random numbers (Lehmer's), so that distributions do not depend on luck. */
export function sequence(seed = 42): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Counts `total` choices in `chosen`. */
export function count(total: number, choose: () => Candidate | null): void {
  for (let i = 0; i < total; i++) {
    const chosen = choose();
    if (chosen !== null) chosen.chosen++;
  }
}

export function shares(members: readonly Candidate[]): number[] {
  const total = members.reduce((sum, { chosen }) => sum + chosen, 0);
  return members.map(({ chosen }) => chosen / total);
}
