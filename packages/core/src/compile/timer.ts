// Durations of a configuration as timers of the edge take them.
import { parseDurationMs } from "../model/index.ts";

/** The longest time that a timer of Node.js can wait, about 25 days. Longer ones would fire at once. */
const longestTimerMs = 2_147_483_647;

/** Whole milliseconds; 0 for a duration that is not there. */
export function timerMs(text: string | undefined): number {
  const durationMs = text === undefined ? null : parseDurationMs(text);
  return durationMs === null ? 0 : Math.min(Math.round(durationMs), longestTimerMs);
}
