// Responses Sluice makes itself: the one place where a failure or a redirect becomes a response. Bodies are empty, as Envoy's.
import type { Exchange } from "../exchange/exchange.ts";
import { type Failure, type FailureCode, failures } from "../exchange/failure.ts";
import { isGrpcType } from "../exchange/grpc.ts";

/** Headers of every response Sluice makes. */
const serverHeaders: readonly string[] = ["server", "sluice"];

/**
 * Answers with the failure's status and ends the exchange's response. After the response's head has gone nothing can be said
 * any more: the stream is reset, so that a client never takes a short answer for a complete one.
 */
export function sendFailure(exchange: Exchange, code: FailureCode): void {
  exchange.failure = code;
  if (exchange.isResponseStarted) {
    exchange.reset();
    return;
  }
  const failure = failures[code];
  if (failure.closesDownstream) exchange.closesConnection = true;
  // gRPC clients look for the outcome in trailers, and with no body in the head (Trailers-Only); the HTTP status is always 200.
  if (isGrpcType(exchange.header("content-type"))) sendLocal(exchange, 200, grpcHeaders(failure));
  else sendLocal(exchange, failure.status, serverHeaders);
}

/** Details are plain ASCII; gRPC percent-encodes what is not printable, and the percent sign. */
function grpcHeaders({ grpcStatus, details }: Failure): string[] {
  return [
    "content-type",
    "application/grpc",
    "grpc-status",
    String(grpcStatus),
    "grpc-message",
    details.replaceAll("%", "%25"),
    ...serverHeaders,
  ];
}

/** 301 to the same host and path under https. */
export function sendHttpsRedirect(exchange: Exchange, host: string): void {
  const target = exchange.query === "" ? exchange.path : `${exchange.path}?${exchange.query}`;
  sendLocal(exchange, 301, ["location", `https://${host}${target}`, ...serverHeaders]);
}

/** A body up to this size that nobody wants is read and thrown away to keep its connection; beyond it the connection closes. */
const maxDiscardedBytes = 65_536;

function sendLocal(exchange: Exchange, status: number, headers: readonly string[]): void {
  const isLong = exchange.bodyLength < 0 || exchange.bodyLength > maxDiscardedBytes;
  if (isLong && !exchange.isRequestComplete && exchange.protocol !== "HTTP/2") exchange.closesConnection = true;
  exchange.status = status;
  exchange.isResponseStarted = true;
  exchange.sendHead(status, headers, 0);
  exchange.sendEnd();
}
