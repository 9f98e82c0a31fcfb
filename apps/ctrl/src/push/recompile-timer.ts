// Compiles once more when time alone changes the outcome: a certificate that was refused becomes valid.

/** Timers cannot be longer. */
const maxTimerMs = 24 * 86_400_000;
/** The dates of certificates are whole seconds, and timers may be early. */
const lateMs = 10;

export class RecompileTimer {
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | null = null;

  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** Replaces what was set before; null: there is nothing to wait for. */
  set(atMs: number | null): void {
    this.close();
    if (atMs === null) return;
    const waitMs = Math.min(Math.max(0, atMs - Date.now()) + lateMs, maxTimerMs);
    this.#timer = setTimeout(this.#onDue, waitMs);
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
