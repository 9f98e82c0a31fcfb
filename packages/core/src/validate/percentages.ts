// Shares of requests in per cent, as numbers and in the old whole-number spelling.
import type { FieldPath, Percentage } from "../model/index.ts";
import type { Reporter } from "./reporter.ts";

/** Envoy counts in millionths: anything smaller would be nothing. */
const smallest = 0.0001;

/** 0, or 0.0001 to 100 (istio-semantics 1.2). `path` is that of the percentage. */
export function checkPercentage(percentage: Percentage | undefined, path: FieldPath, reporter: Reporter): void {
  const value = percentage?.value ?? 0;
  if (value === 0 || (value >= smallest && value <= 100)) return;
  const message = `must be 0, or from ${smallest} to 100; found ${value}`;
  reporter.error({ code: "out-of-range", path: [...path, "value"], message });
}

/** `percent` and `mirrorPercent`, whose replacement takes fractions too. */
export function checkOldPercent(percent: number | undefined, path: FieldPath, reporter: Reporter): void {
  if (percent === undefined) return;
  if (percent > 100) {
    reporter.error({ code: "out-of-range", path, message: `must be at most 100; found ${percent}` });
    return;
  }
  const field = String(path.at(-1));
  const hint = `Write ${field === "percent" ? "percentage" : "mirrorPercentage"}: {value: ${percent}}.`;
  reporter.warning({ code: "deprecated-field", path, message: `"${field}" is an old spelling`, hint });
}
