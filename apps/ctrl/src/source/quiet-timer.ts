// Waits until a burst of events is over, but not for ever.

/** Calls back once after `poke` has not been called for `quietMs`, at the latest `limitMs` after the first call. */
export class QuietTimer {
  readonly #quietMs: number;
  readonly #limitMs: number;
  readonly #onQuiet: () => void;
  #timer: NodeJS.Timeout | null = null;
  #firstPokeMs = 0;

  constructor(quietMs: number, limitMs: number, onQuiet: () => void) {
    this.#quietMs = quietMs;
    this.#limitMs = limitMs;
    this.#onQuiet = onQuiet;
  }

  poke(): void {
    const nowMs = performance.now();
    if (this.#timer === null) this.#firstPokeMs = nowMs;
    else clearTimeout(this.#timer);
    const leftMs = Math.max(0, this.#firstPokeMs + this.#limitMs - nowMs);
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#onQuiet();
      },
      Math.min(this.#quietMs, leftMs),
    );
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
