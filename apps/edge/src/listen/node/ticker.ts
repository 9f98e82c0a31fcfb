// One interval for everything on a listener that has to be looked at once a second; a timer for each connection would cost more than the look.

const tickMs = 1000;

export interface Tickable {
  tick(nowMs: number): void;
}

export class Ticker {
  readonly #watched = new Set<Tickable>();
  #timer: NodeJS.Timeout | null = null;

  /** Ticks for it about every second until `delete`. */
  add(watched: Tickable): void {
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => this.#tick(), tickMs).unref();
  }

  delete(watched: Tickable): void {
    this.#watched.delete(watched);
    if (this.#watched.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const watched of this.#watched) watched.tick(nowMs);
  }
}
