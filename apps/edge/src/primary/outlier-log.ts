// What operators read of outlier detection as it happens.
import type { Logger } from "pino";
import type { OutlierEvent } from "../upstream/outlier/outlier-detector.ts";

/** @param where the worker that decided, and the cluster */
export function logOutlier(
  log: Logger,
  where: { readonly worker: number; readonly cluster: string },
  event: OutlierEvent,
): void {
  const { endpoint, reason } = event;
  if (event.kind === "ejected") {
    const { ejectedMs } = event;
    log.warn({ ...where, endpoint, reason, ejectedMs }, "endpoint ejected: too many errors in a row");
  } else {
    log.info({ ...where, endpoint, reason }, "ejected endpoint gets requests again");
  }
}
