// Durations of checked resources as milliseconds.
import { parseDurationMs } from "../model/index.ts";

/** The longest time that a timer of Node.js can wait, about 25 days. Longer ones would fire at once. */
const longestTimerMs = 2_147_483_647;

/** Milliseconds that a timer can wait; null for no duration. */
export function timerMs(text: string | undefined): number | null {
  const durationMs = text === undefined ? null : parseDurationMs(text);
  return durationMs === null ? null : Math.min(durationMs, longestTimerMs);
}
