// `fault` of a rule (istio-semantics 1.2 and 2.11).
import { type FieldPath, grpcStatusNames, type HttpFault, parseGrpcStatus, type Percentage } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { didYouMean } from "../parse/near-miss.ts";
import { checkDuration } from "./policy-durations.ts";
import { checkStatus } from "./http-answers.ts";
import { checkOldPercent, checkPercentage } from "./percentages.ts";
import type { Reporter } from "./reporter.ts";

export function checkFault({ delay, abort }: HttpFault, path: FieldPath, reporter: Reporter): void {
  if (delay === undefined && abort === undefined) {
    reporter.error({ code: "missing-field", path, message: "a fault needs a delay or an abort" });
  }
  if (delay !== undefined) checkDelay(delay, [...path, "delay"], reporter);
  if (abort !== undefined) checkAbort(abort, [...path, "abort"], reporter);
}

function checkDelay(delay: NonNullable<HttpFault["delay"]>, path: FieldPath, reporter: Reporter): void {
  checkPercentage(delay.percentage, [...path, "percentage"], reporter);
  checkOldPercent(delay.percent, [...path, "percent"], reporter);
  if (delay.percent === undefined) warnOfNothing(delay.percentage, path, reporter);
  if (delay.fixedDelay === undefined) {
    const message = "a delay needs fixedDelay";
    reporter.error({ code: "missing-field", path, message });
  } else checkDuration(delay.fixedDelay, [...path, "fixedDelay"], reporter);
}

function checkAbort(abort: NonNullable<HttpFault["abort"]>, path: FieldPath, reporter: Reporter): void {
  const { percentage, httpStatus, grpcStatus } = abort;
  checkPercentage(percentage, [...path, "percentage"], reporter);
  warnOfNothing(percentage, path, reporter);
  if (httpStatus !== undefined && grpcStatus !== undefined) {
    const message = "only one of httpStatus and grpcStatus may be set";
    reporter.error({ code: "conflicting-fields", path: [...path, "grpcStatus"], message });
  } else if (httpStatus === undefined && grpcStatus === undefined) {
    const message = "this abort does not say with which status";
    const hint = "Add httpStatus or grpcStatus.";
    reporter.warning({ code: "ineffective-field", path, message, hint });
  }
  if (httpStatus !== undefined) checkStatus(httpStatus, [...path, "httpStatus"], reporter);
  if (grpcStatus === undefined || parseGrpcStatus(grpcStatus) !== null) return;
  const message = `${quote(grpcStatus)} is no status of gRPC`;
  const hint = didYouMean(grpcStatus, grpcStatusNames) ?? `Write one of ${grpcStatusNames.join(", ")}.`;
  reporter.error({ code: "invalid-value", path: [...path, "grpcStatus"], message, hint });
}

/** Many read it as 100: Istio takes a percentage that is not there for 0. */
function warnOfNothing(percentage: Percentage | undefined, path: FieldPath, reporter: Reporter): void {
  if (percentage?.value !== undefined) return;
  const message = "without a percentage this happens to no request";
  reporter.warning({ code: "ineffective-field", path, message, hint: "Add percentage: {value: 100}." });
}
