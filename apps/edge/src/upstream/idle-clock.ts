// One coarse clock for all idle connections of a process: it ticks once a second, and only while some connection is idle. A timer
// for each connection would be set and cleared with every request.

const idleTickMs = 1000;

/** Something with idle connections; the pool. */
export interface IdleHolder {
  /** Closes what has been idle for too long. Returns false when nothing idle is left and no further tick is needed. */
  closeIdle(nowMs: number): boolean;
}

export class IdleClock {
  /** Monotonic milliseconds, at most one tick old while anything is watched. */
  nowMs: number;
  private readonly holders: Set<IdleHolder>;
  private timer: NodeJS.Timeout | null;

  constructor() {
    this.nowMs = performance.now();
    this.holders = new Set();
    this.timer = null;
  }

  /** Ticks for `holder` until its `closeIdle` returns false. */
  watch(holder: IdleHolder): void {
    this.holders.add(holder);
    if (this.timer !== null) return;
    this.nowMs = performance.now();
    this.timer = setInterval(() => this.tick(performance.now()), idleTickMs);
    this.timer.unref();
  }

  tick(nowMs: number): void {
    this.nowMs = nowMs;
    for (const holder of this.holders) {
      if (!holder.closeIdle(nowMs)) this.holders.delete(holder);
    }
    if (this.holders.size === 0) this.stop();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.holders.clear();
  }
}
