// Errors made on purpose (istio-semantics 1.2, fault). A percentage that is not given is 0: nothing is made.
import { type FaultPolicy, type HttpFault, parseGrpcStatus, type Percentage } from "../model/index.ts";
import { timerMs } from "./duration.ts";

/** Null where no request could meet a fault: the route then does not pay for the question. */
export function buildFault(fault: HttpFault | undefined): FaultPolicy | null {
  const delay = buildDelay(fault?.delay);
  const abort = buildAbort(fault?.abort);
  return delay === null && abort === null ? null : { delay, abort };
}

function buildDelay(delay: HttpFault["delay"]): FaultPolicy["delay"] {
  if (delay === undefined) return null;
  const percentage = delay.percentage === undefined ? (delay.percent ?? 0) : valueOf(delay.percentage);
  const durationMs = timerMs(delay.fixedDelay) ?? 0;
  return percentage === 0 || durationMs === 0 ? null : { percentage, durationMs };
}

function buildAbort(abort: HttpFault["abort"]): FaultPolicy["abort"] {
  const percentage = valueOf(abort?.percentage);
  const httpStatus = abort?.httpStatus ?? null;
  const grpcStatus = abort?.grpcStatus === undefined ? null : parseGrpcStatus(abort.grpcStatus);
  if (percentage === 0 || (httpStatus === null && grpcStatus === null)) return null;
  return { percentage, httpStatus: grpcStatus === null ? httpStatus : null, grpcStatus };
}

function valueOf(percentage: Percentage | undefined): number {
  return percentage?.value ?? 0;
}
