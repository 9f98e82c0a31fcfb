// Durations of a configuration (istio-semantics 1): Go's form, at least a millisecond.
import { type FieldPath, parseDurationMs } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import type { Reporter } from "./reporter.ts";

/** Istio's rule: at least a millisecond, and whole ones. Returns the milliseconds; null where there are none to speak of. */
export function checkDuration(
  duration: string | undefined,
  path: FieldPath,
  reporter: Reporter,
  zeroHint = 'Write a number and its unit: "300ms", "1.5s", "1h".',
): number | null {
  if (duration === undefined) return null;
  const durationMs = parseDurationMs(duration);
  if (durationMs !== null && durationMs >= 1 && Number.isInteger(durationMs)) return durationMs;
  const why = durationMs === null ? "is no duration" : "is not a whole number of milliseconds above 0";
  const hint = durationMs === 0 ? zeroHint : 'Write a number and its unit: "300ms", "1.5s", "1h".';
  reporter.error({ code: "invalid-duration", path, message: `${quote(duration)} ${why}`, hint });
  return null;
}
