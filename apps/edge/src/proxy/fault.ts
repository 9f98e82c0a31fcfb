// Errors made on purpose. Percentages are drawn anew for every request, delay and abort independently, as Envoy does.
import type { FaultPolicy } from "@sluice/core/model";
import type { Exchange } from "../exchange/exchange.ts";
import { grpcStatusOf, httpStatusOf } from "../exchange/grpc.ts";
import type { Random } from "../upstream/balancing/balanced.ts";
import { sendLocalResponse } from "./local-response.ts";

/** Milliseconds that this request has to wait; 0: none. */
export function drawDelayMs({ delay }: FaultPolicy, random: Random): number {
  return delay !== null && isDrawn(delay.percentage, random) ? delay.durationMs : 0;
}

export function drawsAbort({ abort }: FaultPolicy, random: Random): boolean {
  return abort !== null && isDrawn(abort.percentage, random);
}

const abortBody = Buffer.from("fault filter abort");

/** Callers that do not speak gRPC are told a gRPC status in HTTP's words, and the other way round. */
export function sendAbort(exchange: Exchange, { abort }: FaultPolicy): void {
  const status = abort?.httpStatus ?? httpStatusOf(abort?.grpcStatus ?? 0);
  exchange.failure = "fault_abort";
  sendLocalResponse(exchange, {
    status,
    headers: [],
    body: abortBody,
    grpcStatus: abort?.grpcStatus ?? grpcStatusOf(status),
  });
}

function isDrawn(percentage: number, random: Random): boolean {
  return random() * 100 < percentage;
}
