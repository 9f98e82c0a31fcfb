// The entry to the upstream client: what a request is and how it is sent. Protocols other than HTTP/1.1 join behind these types.
import type { UpstreamHandler, UpstreamStream } from "../exchange/upstream-handler.ts";
import type { EndpointPool } from "./pool.ts";

/** How the request's body is framed. The head says the same: whoever writes the head writes its framing header. */
export type RequestBody = "none" | "length" | "chunked";

export interface UpstreamRequest {
  readonly method: string;
  /** The complete head, request line to empty line, one char a byte (latin1). */
  readonly head: string;
  readonly body: RequestBody;
}

/**
 * Sends a request to an endpoint. No handler method is called before this returns. With `length` the caller must write exactly
 * the bytes that the head announces and `end`; with `chunked` the pieces it writes become chunks.
 */
export function sendRequest(pool: EndpointPool, request: UpstreamRequest, handler: UpstreamHandler): UpstreamStream {
  return pool.send(request, handler);
}
