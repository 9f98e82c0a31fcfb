// Whether the store can be written, since when not, and why: what status shows and what a push is answered with.

export class Health {
  readonly #onWarning: (message: string) => void;
  #away: { readonly sinceMs: number; reason: string } | null = null;
  /** etcd answers, and refuses writes: it is full, or we may not. */
  #refusal: string | null = null;

  constructor(onWarning: (message: string) => void) {
    this.#onWarning = onWarning;
  }

  /** Nobody answers, so there is no use in trying to write. When etcd merely refuses there is: it may have been given space. */
  get isAway(): boolean {
    return this.#away !== null;
  }

  get problem(): string | null {
    if (this.#away !== null) {
      const { sinceMs, reason } = this.#away;
      return `etcd cannot be used since ${new Date(sinceMs).toISOString()}: ${reason}`;
    }
    return this.#refusal;
  }

  reached(): void {
    if (this.#away === null) return;
    const seconds = Math.round((Date.now() - this.#away.sinceMs) / 1000);
    this.#away = null;
    this.#onWarning(`etcd is back after ${seconds} s`);
  }

  unreachable(reason: string): void {
    if (this.#away !== null) {
      this.#away.reason = reason;
      return;
    }
    this.#away = { sinceMs: Date.now(), reason };
    this.#onWarning(`etcd cannot be used: ${reason}; what runs goes on, pushes are refused`);
  }

  written(): void {
    this.#refusal = null;
    this.reached();
  }

  refused(reason: string): void {
    this.#refusal = `etcd refuses to write: ${reason}`;
  }
}
