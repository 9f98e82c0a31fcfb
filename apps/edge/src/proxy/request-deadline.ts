// How long an exchange may take in all: what the operator allows, and of gRPC no longer than the client itself waits.
import type { Exchange } from "../exchange/exchange.ts";
import { isGrpcType, parseGrpcTimeout } from "../exchange/grpc.ts";

/** Beyond what a timer can count; as good as never. */
const maxTimerMs = 2 ** 31 - 1;

/** Milliseconds from now on, -1 for any time. A tunnel lasts as long as both sides like. */
export function allowedTimeMs(exchange: Exchange, requestTimeoutMs: number): number {
  if (exchange.upgrade !== null) return -1;
  const configured = requestTimeoutMs === 0 ? Infinity : requestTimeoutMs;
  const allowed = Math.min(configured, grpcTimeoutMs(exchange));
  return allowed > maxTimerMs ? -1 : allowed;
}

function grpcTimeoutMs(exchange: Exchange): number {
  // Only gRPC has the header, and gRPC is HTTP/2: everyone else is not made to look for it.
  if (exchange.protocol !== "HTTP/2" || !isGrpcType(exchange.header("content-type"))) return Infinity;
  const text = exchange.header("grpc-timeout");
  return text === null ? Infinity : (parseGrpcTimeout(text) ?? Infinity);
}
