// Responses Sluice makes itself: the one place where a failure, a redirect or a route's own answer becomes a response.
import type { Exchange } from "../exchange/exchange.ts";
import { type Failure, type FailureCode, failures } from "../exchange/failure.ts";
import { encodeGrpcMessage, isGrpcType } from "../exchange/grpc.ts";
import { hasHeader, overrideHeaders, setHeader } from "./flat-headers.ts";

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

export interface LocalResponse {
  readonly status: number;
  /** Flat; taken over. */
  readonly headers: string[];
  /** Null: none. */
  readonly body: Uint8Array | null;
  /** What gRPC callers are told instead of the status; null for an answer that has nothing to do with calls. */
  readonly grpcStatus: number | null;
}

/** Sends a response of the gateway's own, as Envoy sends its local replies. */
export function sendLocalResponse(exchange: Exchange, { status, headers, body, grpcStatus }: LocalResponse): void {
  const isGrpc = grpcStatus !== null && isGrpcType(exchange.header("content-type"));
  if (isGrpc) {
    setHeader(headers, "content-type", "application/grpc");
    if (!hasHeader(headers, "grpc-status")) headers.push("grpc-status", String(grpcStatus));
    if (body !== null && body.length > 0) {
      headers.push("grpc-message", encodeGrpcMessage(body.subarray(0, maxGrpcMessageBytes)));
    }
  }
  // 204 and 304 have no body, whatever a route says of them.
  const isBodiless = isGrpc || status === 204 || status === 304;
  const sent = isBodiless ? noBody : (body ?? noBody);
  if (sent.length > 0 && !hasHeader(headers, "content-type")) headers.push("content-type", "text/plain");
  setHeader(headers, "server", "sluice");
  sendLocal(exchange, isGrpc ? 200 : status, headers, sent);
}

const noBody = new Uint8Array(0);

/** Of a body that becomes a header, even if each byte takes three: gRPC clients take heads of 8 KiB. */
const maxGrpcMessageBytes = 2048;

/** CORS headers belong to every answer to an origin that may read it, to failures as well: scripts could not see them otherwise. */
function withOverrides({ responseOverrides }: Exchange, headers: readonly string[]): readonly string[] {
  if (responseOverrides === null) return headers;
  const result = [...headers];
  overrideHeaders(result, responseOverrides);
  return result;
}

/** A body up to this size that nobody wants is read and thrown away to keep its connection; beyond it the connection closes. */
const maxDiscardedBytes = 65_536;

function sendLocal(exchange: Exchange, status: number, headers: readonly string[], body: Uint8Array = noBody): void {
  const isLong = exchange.bodyLength < 0 || exchange.bodyLength > maxDiscardedBytes;
  if (isLong && !exchange.isRequestComplete && exchange.protocol !== "HTTP/2") exchange.closesConnection = true;
  exchange.status = status;
  exchange.isResponseStarted = true;
  exchange.sendHead(status, withOverrides(exchange, headers), body.length);
  if (body.length > 0 && exchange.method !== "HEAD") {
    exchange.bytesSent += body.length;
    exchange.sendData(body);
  }
  exchange.sendEnd();
}
