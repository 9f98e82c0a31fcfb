// What the upstream client reports to whoever asked it to send a request. Methods, not closures: an exchange implements them.
import type { FailureCode } from "./failure.ts";
import type { PieceSize } from "./piece-size.ts";

/** The connection that carries a request, for logs and for flow control of the request's body. */
export interface UpstreamStream {
  /** `127.0.0.1:8000`. */
  readonly remoteAddress: string;
  /** `127.0.0.1:51234`; empty until connected. */
  readonly localAddress: string;
  /**
   * Sends a piece of the request's body. The chunk is copied or written before the call returns.
   * Returns false when the caller should stop until `onUpstreamDrain`.
   */
  write(chunk: Uint8Array): boolean;
  /** The body is complete. `trailers` as in `ExchangeHandler.onRequestEnd`. */
  end(trailers: readonly string[]): void;
  /** Stop and go on reading the response. May be called in any state, also from inside handler calls. */
  pause(): void;
  resume(): void;
  /**
   * Gives the request up: the connection is closed and no further handler method is called.
   *
   * @param cause `timeout`: the upstream has not answered in time, which outlier detection holds against its endpoint
   */
  abort(cause?: "timeout"): void;
}

/**
 * Called in this order: (informational)*, head, data*, then exactly one of end and error. Error may come at any time. In a tunnel the end of
 * the upstream's half may come between data and end.
 */
export interface UpstreamHandler {
  /** Of what comes by `onUpstreamData`; the upstream's connection may choose a smaller one. */
  readonly pieceSize: PieceSize;
  /** A 1xx other than 101. */
  onUpstreamInformational(status: number, headers: readonly string[]): void;
  /**
   * The final response head. `headers` is flat (name, value, ...), names in lower case, framing and hop-by-hop headers removed; the list is
   * the handler's from now on.
   * `bodyLength`: bytes announced, 0 for none, -1 when only the end of the body tells. Status 101 only comes when an upgrade was asked
   * for; from then on data are raw bytes.
   */
  onUpstreamHead(status: number, headers: string[], bodyLength: number): void;
  /** A piece of the body. The chunk is only valid during the call. */
  onUpstreamData(chunk: Uint8Array): void;
  /** In a tunnel (after 101) the upstream has said all it had to say, the client may go on. `onUpstreamEnd` follows once both have. */
  onUpstreamHalfEnd(): void;
  /** `trailers`: flat, names in lower case; empty when there are none. */
  onUpstreamEnd(trailers: readonly string[]): void;
  /** One read from the upstream has been handed over entirely and the response goes on. Not called after end or error. */
  onUpstreamFlush(): void;
  /** The request failed; before the head when `onUpstreamHead` was not called. */
  onUpstreamError(failure: FailureCode): void;
  /** `UpstreamStream.write` may be called again. */
  onUpstreamDrain(): void;
}
