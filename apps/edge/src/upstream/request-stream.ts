// One request on its way to an upstream, whichever connection carries it: it may wait for one, and may be sent a second time.
import { noTrailers } from "../exchange/exchange.ts";
import type { FailureCode } from "../exchange/failure.ts";
import type { UpstreamHandler, UpstreamStream } from "../exchange/upstream-handler.ts";
import type { UpstreamRequest } from "./send-request.ts";

/** What a stream needs of the pool it was sent through. */
export interface StreamOwner {
  /** `127.0.0.1:8000`. */
  readonly address: string;
  /** The final response head has come. */
  onStreamHead(status: number, headers: readonly string[]): void;
  /** It failed for a reason that may be the endpoint's. */
  onStreamFailed(failure: FailureCode): void;
  /** No head came in the time that whoever sent it had. */
  onStreamTimeout(): void;
  /** The stream is over, in whatever way. */
  onStreamDone(): void;
  /** The stream gives up waiting for a connection. */
  cancel(stream: RequestStream): void;
}

/** What carries a stream: an HTTP/1.1 connection, or one stream of an HTTP/2 connection. */
export interface StreamCarrier {
  /** False: body has to wait in the stream (the upstream has not proved who it is, or not agreed to an upgrade). */
  readonly takesBody: boolean;
  readonly bufferedBytes: number;
  writeBody(chunk: Uint8Array): boolean;
  endBody(trailers: readonly string[]): void;
  pauseReading(): void;
  resumeReading(): void;
  /** Gives the request up, without a word to its stream. */
  close(): void;
}

/** RFC 9110 9.2.2: sending these twice has the effect of sending them once. */
function isIdempotent(method: string): boolean {
  switch (method) {
    case "GET":
    case "HEAD":
    case "OPTIONS":
    case "PUT":
    case "DELETE":
    case "TRACE":
      return true;
    default:
      return false;
  }
}

export class RequestStream implements UpstreamStream {
  readonly request: UpstreamRequest;
  readonly handler: UpstreamHandler;
  /** The endpoint's; once a connection carries it, that one's. */
  remoteAddress: string;
  localAddress: string;
  /** More about a failure than its code, for logs: `ECONNREFUSED`, `bad chunk`; empty otherwise. */
  detail: string;
  isDone: boolean;
  isPaused: boolean;
  /** `write` has returned false and `onUpstreamDrain` is owed. */
  isBlocked: boolean;
  isEnded: boolean;
  hasBeenResent: boolean;
  /** The connection that carries it; null while it waits for one and when it is over. */
  connection: StreamCarrier | null;
  /** Body written while waiting for a connection. */
  queuedBody: Buffer[] | null;
  /** What `end` was given. */
  trailers: readonly string[];
  private readonly owner: StreamOwner;
  private hasBodyStarted: boolean;
  private hasHead: boolean;
  /** Bytes that may still be written. */
  private remainingBytes: number;

  constructor(owner: StreamOwner, request: UpstreamRequest, handler: UpstreamHandler) {
    this.request = request;
    this.handler = handler;
    this.remoteAddress = owner.address;
    this.localAddress = "";
    this.detail = "";
    this.isDone = false;
    this.isPaused = false;
    this.isBlocked = false;
    this.isEnded = request.body === "none";
    this.hasBeenResent = false;
    this.connection = null;
    this.queuedBody = null;
    this.trailers = noTrailers;
    this.owner = owner;
    this.hasBodyStarted = false;
    this.hasHead = false;
    this.remainingBytes = request.body === "length" ? request.bodyLength : Infinity;
  }

  /** Bytes held in this process for the request's body and the response: bounded while the caller heeds flow control. */
  get bufferedBytes(): number {
    let total = this.connection?.bufferedBytes ?? 0;
    for (const chunk of this.queuedBody ?? []) total += chunk.length;
    return total;
  }

  /** True when the request may be sent again after a connection died under it: idempotent, no body spent, the first time. */
  get isResendable(): boolean {
    return !this.hasBeenResent && !this.hasBodyStarted && isIdempotent(this.request.method);
  }

  write(chunk: Uint8Array): boolean {
    // Bytes behind a request without a body, or behind its end, would be read as another request.
    if (!this.isDone && this.isEnded) throw new Error("a piece of body was written after the request's end");
    // An empty chunk would be the last one.
    if (this.isDone || chunk.length === 0) return true;
    // More than announced would be read as the next request on this connection.
    if (chunk.length > this.remainingBytes) return this.refuseBody();
    this.remainingBytes -= chunk.length;
    this.hasBodyStarted = true;
    if (this.connection === null || !this.connection.takesBody) {
      (this.queuedBody ??= []).push(Buffer.from(chunk));
      this.isBlocked = true;
      return false;
    }
    const hasRoom = this.connection.writeBody(chunk);
    if (!hasRoom) this.isBlocked = true;
    return hasRoom;
  }

  end(trailers: readonly string[] = noTrailers): void {
    if (this.isDone || this.isEnded) return;
    // Less than announced: the upstream would take the next request for the rest of this body.
    if (this.remainingBytes > 0 && this.remainingBytes !== Infinity) {
      this.refuseBody();
      return;
    }
    this.isEnded = true;
    this.hasBodyStarted = true;
    this.trailers = trailers;
    if (this.connection?.takesBody === true) this.connection.endBody(trailers);
  }

  /** A carrier that takes body from now on gets what was written before. */
  handOverQueue(carrier: StreamCarrier): void {
    const chunks = this.queuedBody;
    this.queuedBody = null;
    let hasRoom = true;
    for (const chunk of chunks ?? []) hasRoom = carrier.writeBody(chunk);
    if (this.isEnded && this.request.body !== "none") carrier.endBody(this.trailers);
    else if (hasRoom) this.drain();
  }

  pause(): void {
    this.isPaused = true;
    this.connection?.pauseReading();
  }

  resume(): void {
    this.isPaused = false;
    this.connection?.resumeReading();
  }

  abort(cause?: "timeout"): void {
    if (this.isDone) return;
    const { connection } = this;
    // One that waits for a connection has not reached the endpoint.
    if (cause === "timeout" && !this.hasHead && connection !== null) this.owner.onStreamTimeout();
    this.settle();
    if (connection === null) this.owner.cancel(this);
    else connection.close();
  }

  /** The final response head. Parameters as of `UpstreamHandler.onUpstreamHead`. */
  takeHead(status: number, headers: string[], bodyLength: number): void {
    this.hasHead = true;
    this.owner.onStreamHead(status, headers);
    this.handler.onUpstreamHead(status, headers, bodyLength);
  }

  /** The response is complete. */
  complete(trailers: readonly string[]): void {
    if (this.isDone) return;
    this.settle();
    this.handler.onUpstreamEnd(trailers);
  }

  fail(failure: FailureCode, detail: string): void {
    if (this.isDone) return;
    this.owner.onStreamFailed(failure);
    this.refuse(failure, detail);
  }

  /** Fails for a reason that says nothing of the endpoint. */
  refuse(failure: FailureCode, detail: string): void {
    if (this.isDone) return;
    this.detail = detail;
    this.settle();
    this.handler.onUpstreamError(failure);
  }

  drain(): void {
    if (this.isDone || !this.isBlocked) return;
    this.isBlocked = false;
    this.handler.onUpstreamDrain();
  }

  private refuseBody(): true {
    const { connection } = this;
    if (connection === null) this.owner.cancel(this);
    else connection.close();
    this.fail("bad_request", "body length is not the announced one");
    return true;
  }

  private settle(): void {
    this.isDone = true;
    this.connection = null;
    this.queuedBody = null;
    this.owner.onStreamDone();
  }
}
