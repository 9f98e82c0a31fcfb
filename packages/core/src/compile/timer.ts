// Durations of a configuration as timers of the edge take them.
import { parseDurationMs } from "../model/index.ts";

/** The longest time that a timer of Node.js can wait, about 25 days. Longer ones would fire at once. */
const longestTimerMs = 2_147_483_647;

/** Whole milliseconds; 0 for a duration that is not there. */
export function timerMs(text: string | undefined): number {
  return timerMsIfSet(text) ?? 0;
}

/** As `timerMs`, for durations whose absence means something else than 0: null then. */
export function timerMsIfSet(text: string | undefined): number | null {
  const durationMs = text === undefined ? null : parseDurationMs(text);
  return durationMs === null ? null : Math.min(Math.round(durationMs), longestTimerMs);
}
