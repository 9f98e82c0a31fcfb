// For what has no event to wait for: looks again and again, for a few seconds at most.
import { setTimeout as pause } from "node:timers/promises";

const everyMs = 20;
const defaultLimitMs = 8_000;

/** The first value of `probe` that is not null. Rejects, saying `what` was awaited, when there is none in time. */
export async function eventually<Value>(
  what: string,
  probe: () => Promise<Value | null> | Value | null,
  limitMs = defaultLimitMs,
): Promise<Value> {
  const limit = performance.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value !== null) return value;
    if (performance.now() > limit) throw new Error(`${what}: not within ${limitMs} ms`);
    await pause(everyMs);
  }
}
