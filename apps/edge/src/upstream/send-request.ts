// The entry to the upstream client: what a request is and how it is sent, whichever protocol the cluster speaks.
import type { Downstream } from "../exchange/downstream.ts";
import type { RequestHead } from "../exchange/exchange.ts";
import type { UpstreamHandler, UpstreamStream } from "../exchange/upstream-handler.ts";
import type { EndpointPool } from "./pool.ts";

/**
 * How the request's body is framed. The head says the same: whoever writes the head writes its framing header. `upgrade`: no body; once
 * the upstream has answered 101, raw bytes in both directions.
 */
export type RequestBody = "none" | "length" | "chunked" | "upgrade";

/** Where a request comes from, as far as it decides which connection may carry it; an exchange is one. */
export interface RequestOrigin {
  readonly protocol: RequestHead["protocol"];
  /** As sent. */
  readonly authority: string;
  /** The authority's host, lower case: the server name where the cluster names none. */
  readonly host: string;
  readonly scheme: "http" | "https";
  readonly upgrade: string | null;
  readonly downstream: Pick<Downstream, "remoteAddress" | "remotePort" | "localAddress" | "localPort">;
}

export interface UpstreamRequest {
  readonly method: string;
  /** The complete HTTP/1.1 head, request line to empty line, one char a byte (latin1). HTTP/2 connections read it back. */
  readonly head: string;
  readonly body: RequestBody;
  /** Bytes that the head announces, for `length`. */
  readonly bodyLength: number;
  readonly origin: RequestOrigin;
}

/**
 * Sends a request to an endpoint. No handler method is called before this returns. With `length` the caller must write exactly
 * the bytes that the head announces and `end`, anything else ends the request as `bad_request`; with `chunked` the pieces it
 * writes become chunks.
 */
export function sendRequest(pool: EndpointPool, request: UpstreamRequest, handler: UpstreamHandler): UpstreamStream {
  return pool.send(request, handler);
}
