// Counts what a client did in the last minute, in constant memory.

const windowMs = 60_000;

/** A sliding window from two fixed ones: the former minute counts by the part of it that is still less than a minute ago. */
export class MinuteCount {
  #startedAt: number;
  #current = 0;
  #former = 0;

  constructor(now: number) {
    this.#startedAt = now;
  }

  /** Counts one more and returns how many there were within a minute, about. `now` in milliseconds, never less than before. */
  add(now: number): number {
    const passed = now - this.#startedAt;
    if (passed >= windowMs) {
      this.#former = passed < 2 * windowMs ? this.#current : 0;
      this.#current = 0;
      this.#startedAt = now - (passed % windowMs);
    }
    this.#current++;
    const share = 1 - (now - this.#startedAt) / windowMs;
    return this.#current + this.#former * share;
  }
}
