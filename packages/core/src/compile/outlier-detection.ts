// `outlierDetection` of a traffic policy: when an endpoint that fails is left out for a while (istio-semantics 1.3).
import type { OutlierDetection, OutlierDetectionSettings } from "../model/index.ts";
import { timerMs } from "./duration.ts";

/** With Istio's defaults. A block with nothing in it switches detection on. */
export function buildOutlierDetection(settings: OutlierDetectionSettings): OutlierDetection {
  return {
    consecutive5xx: settings.consecutive5xxErrors ?? 5,
    consecutiveGatewayErrors: settings.consecutiveGatewayErrors ?? 0,
    consecutiveLocalErrors: settings.consecutiveLocalOriginFailures || 5,
    splitsLocalErrors: settings.splitExternalLocalOriginErrors ?? false,
    errorCodes: settings.outlierDetectionHttpErrorCodes ?? [],
    intervalMs: timerMs(settings.interval) ?? 10_000,
    baseEjectionTimeMs: timerMs(settings.baseEjectionTime) ?? 30_000,
    // Istio cannot tell 0 from nothing here, and takes it for nothing.
    maxEjectionPercent: settings.maxEjectionPercent || 10,
    minHealthPercent: settings.minHealthPercent ?? 0,
  };
}
