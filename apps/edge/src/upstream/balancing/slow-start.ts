// Slow start: an endpoint that has just become known gets its share step by step, so that its caches and compilers can warm up.
import type { Warmup } from "@sluice/core/model";
import type { Balanced } from "./balanced.ts";

export class SlowStart {
  private readonly warmup: Warmup;
  private readonly nowMs: () => number;
  /** When the youngest member is warm: from then on nothing has to be asked. */
  private readonly warmAtMs: number;

  /** @param nowMs the monotonic clock that `knownSinceMs` was read from */
  constructor(members: readonly Balanced[], warmup: Warmup, nowMs: () => number) {
    this.warmup = warmup;
    this.nowMs = nowMs;
    let youngestMs = -Infinity;
    for (const { knownSinceMs } of members) youngestMs = Math.max(youngestMs, knownSinceMs);
    this.warmAtMs = youngestMs + warmup.durationMs;
  }

  isUnderWay(): boolean {
    return this.nowMs() < this.warmAtMs;
  }

  /** Grows by one with every hundredth of the time it takes: who keeps factors over several choices asks for them anew then. */
  get step(): number {
    return Math.floor((this.nowMs() * 100) / this.warmup.durationMs);
  }

  /** What a member's weight is multiplied by, (0, 1]: Envoy's formula, with its millisecond at least, so that time 0 is not weight 0. */
  factorOf({ knownSinceMs }: Balanced): number {
    const { aggression, durationMs, minimumPercent } = this.warmup;
    const ageMs = this.nowMs() - knownSinceMs;
    if (ageMs >= durationMs) return 1;
    return Math.max(minimumPercent / 100, (Math.max(1, ageMs) / durationMs) ** (1 / aggression));
  }
}
