// What a session is told to allow, and what it tells of its streams.
import type { FloodLimits } from "./flood-guard.ts";
import type { ConnectionFault } from "./frame.ts";
import type { Stream } from "./stream.ts";

export interface SessionLimits extends FloodLimits {
  readonly maxConcurrentStreams: number;
  /** Of a header list, as SETTINGS_MAX_HEADER_LIST_SIZE counts. */
  readonly maxHeadBytes: number;
  /** Windows: what a client may send ahead on one stream, and on all (`connectionBufferBytes`). */
  readonly streamBufferBytes: number;
}

export interface ResponseHead {
  readonly status: number;
  /** Flat, names in lower case. */
  readonly fields: readonly string[];
  /** No body follows. */
  readonly isLast: boolean;
}

/** Called from inside `receive` and the intents. */
export interface SessionEvents<Owner> {
  /** A well-formed request. `isLast`: it has no body. */
  onRequest(stream: Stream<Owner>, fields: readonly string[], isLast: boolean): void;
  /** A request whose header list is larger than allowed; it wants an answer like any other. */
  onHeadTooLarge(stream: Stream<Owner>): void;
  /** The chunk is a view. It counts against the client's window until `release`. */
  onData(stream: Stream<Owner>, chunk: Buffer): void;
  onEnd(stream: Stream<Owner>, trailers: readonly string[]): void;
  /** The stream is over: the client reset it, or broke the rules, or the connection ends. */
  onReset(stream: Stream<Owner>): void;
  /** After `write` returned false: there is room again. */
  onWritable(stream: Stream<Owner>): void;
  /**
   * A piece of a body comes to as much as one write should hold. Whoever takes the output now, from inside `write`, spares the piece a copy; else it
   * waits for the next.
   */
  onFull(): void;
  /** The connection is broken; the output holds the GOAWAY that says so, and nothing follows it. */
  onFault(fault: ConnectionFault): void;
  /** `drain` was asked for, and the last stream has ended. */
  onDrained(): void;
}
