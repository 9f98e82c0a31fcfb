// Durations inside the policies of routes and destinations, as Istio's webhook judges them.
import { type FieldPath, parseDurationMs } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import type { Reporter } from "./reporter.ts";

/** Istio's rule: at least a millisecond, and whole ones. Returns the milliseconds; null where there are none to speak of. */
export function checkDuration(duration: string | undefined, path: FieldPath, reporter: Reporter): number | null {
  return checkAtLeast(duration, 1, path, reporter);
}

/** For the durations where `0s` has a meaning of its own. */
export function checkDurationOrZero(duration: string | undefined, path: FieldPath, reporter: Reporter): void {
  checkAtLeast(duration, 0, path, reporter);
}

function checkAtLeast(
  duration: string | undefined,
  leastMs: 0 | 1,
  path: FieldPath,
  reporter: Reporter,
): number | null {
  if (duration === undefined) return null;
  const durationMs = parseDurationMs(duration);
  if (durationMs !== null && durationMs >= leastMs && Number.isInteger(durationMs)) return durationMs;
  const whole =
    leastMs === 1 ? "is not a whole number of milliseconds above 0" : "is not a whole number of milliseconds";
  const hint =
    durationMs === 0 ? "Leave it out for the default." : 'Write a number and its unit: "300ms", "1.5s", "1h".';
  const message = `${quote(duration)} ${durationMs === null ? "is no duration" : whole}`;
  reporter.error({ code: "invalid-duration", path, message, hint });
  return null;
}
