// The one timer of a listener's connections: a timer each would be set and cleared with every request.

export interface Timed {
  /** @param nowMs monotonic */
  checkTime(nowMs: number): void;
}

const maxIntervalMs = 500;
/** A wait begins at the first look and ends at one. */
const looksALimit = 2;

export class ConnectionClock {
  readonly #connections = new Set<Timed>();
  readonly #timer: NodeJS.Timeout;

  /** @param limitsMs what is waited for: never less, and two looks more at most */
  constructor(limitsMs: readonly number[]) {
    const interval = Math.max(1, Math.min(maxIntervalMs, ...limitsMs.map((limitMs) => limitMs / looksALimit)));
    this.#timer = setInterval(() => this.#check(), interval).unref();
  }

  add(connection: Timed): void {
    this.#connections.add(connection);
  }

  delete(connection: Timed): void {
    this.#connections.delete(connection);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #check(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.checkTime(nowMs);
  }
}
