import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { defaultLimitMs, defaultQuietMs } from "../src/source/directory.ts";
import { QuietTimer } from "../src/source/quiet-timer.ts";

describe("a burst of changes", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("is over after 100 ms without one, and is told once", () => {
    let calls = 0;
    const timer = new QuietTimer(defaultQuietMs, defaultLimitMs, () => calls++);
    for (let index = 0; index < 10; index++) {
      timer.poke();
      vi.advanceTimersByTime(99);
    }
    expect(calls).toBe(0);
    vi.advanceTimersByTime(1);
    expect(calls).toBe(1);
    vi.advanceTimersByTime(60_000);
    expect(calls).toBe(1);
  });

  it("that does not end is told after 10 s", () => {
    const toldMs: number[] = [];
    const timer = new QuietTimer(defaultQuietMs, defaultLimitMs, () => toldMs.push(performance.now() - startMs));
    const startMs = performance.now();
    for (let elapsedMs = 0; elapsedMs < 25_000; elapsedMs += 50) {
      timer.poke();
      vi.advanceTimersByTime(50);
    }
    timer.cancel();
    expect(toldMs).toEqual([10_000, 20_000]);
  });
});
