// `outlierDetection` of a traffic policy: its schema and rules (istio-semantics 1.3).
import { z } from "zod";
import type { FieldPath, OutlierDetectionSettings } from "../model/index.ts";
import { checkDuration } from "./policy-durations.ts";
import { text } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";

/** protobuf's uint32. */
const count = z.int().min(0).max(4_294_967_295).optional();
const percent = z.int().min(0).max(100).optional();

export const outlierDetection: z.ZodType<OutlierDetectionSettings> = z.strictObject({
  consecutive5xxErrors: count,
  consecutiveGatewayErrors: count,
  consecutiveLocalOriginFailures: count,
  splitExternalLocalOriginErrors: z.boolean().optional(),
  outlierDetectionHttpErrorCodes: z.array(z.int().min(100).max(599)).optional(),
  interval: text.optional(),
  baseEjectionTime: text.optional(),
  maxEjectionPercent: percent,
  minHealthPercent: percent,
});

export function checkOutlierDetection(
  settings: OutlierDetectionSettings | undefined,
  path: FieldPath,
  reporter: Reporter,
): void {
  if (settings === undefined) return;
  checkDuration(settings.interval, [...path, "interval"], reporter);
  checkDuration(settings.baseEjectionTime, [...path, "baseEjectionTime"], reporter);
  const { splitExternalLocalOriginErrors: splits, consecutiveLocalOriginFailures: failures = 0 } = settings;
  if (splits === true || failures === 0) return;
  const at = [...path, "consecutiveLocalOriginFailures"];
  const message = "failures to connect are counted apart only with splitExternalLocalOriginErrors";
  const hint = "Write splitExternalLocalOriginErrors: true.";
  reporter.error({ code: "conflicting-fields", path: at, message, hint });
}
