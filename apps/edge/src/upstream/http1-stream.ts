// One request on its way to an upstream, whichever connection carries it: it may wait for one, and may be sent a second time.
import { noTrailers } from "../exchange/exchange.ts";
import type { FailureCode } from "../exchange/failure.ts";
import type { UpstreamHandler, UpstreamStream } from "../exchange/upstream-handler.ts";
import type { Http1Connection } from "./connection.ts";
import type { UpstreamRequest } from "./send-request.ts";

/** What a stream needs of the pool it was sent through. */
export interface StreamOwner {
  /** `127.0.0.1:8000`. */
  readonly address: string;
  /** The stream is over, in whatever way. */
  onStreamDone(): void;
  /** The stream gives up waiting for a connection. */
  cancel(stream: Http1Stream): void;
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

export class Http1Stream implements UpstreamStream {
  readonly request: UpstreamRequest;
  readonly handler: UpstreamHandler;
  readonly remoteAddress: string;
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
  connection: Http1Connection | null;
  /** Body written while waiting for a connection. */
  queuedBody: Buffer[] | null;
  private readonly owner: StreamOwner;
  private hasBodyStarted: boolean;

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
    this.owner = owner;
    this.hasBodyStarted = false;
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
    this.hasBodyStarted = true;
    if (this.connection === null) {
      (this.queuedBody ??= []).push(Buffer.from(chunk));
      this.isBlocked = true;
      return false;
    }
    const hasRoom = this.connection.writeBody(chunk);
    if (!hasRoom) this.isBlocked = true;
    return hasRoom;
  }

  end(): void {
    if (this.isDone || this.isEnded) return;
    this.isEnded = true;
    this.hasBodyStarted = true;
    this.connection?.endBody();
  }

  pause(): void {
    this.isPaused = true;
    this.connection?.pauseReading();
  }

  resume(): void {
    this.isPaused = false;
    this.connection?.resumeReading();
  }

  abort(): void {
    if (this.isDone) return;
    const { connection } = this;
    this.settle();
    if (connection === null) this.owner.cancel(this);
    else connection.close();
  }

  /** The response is complete. */
  complete(): void {
    if (this.isDone) return;
    this.settle();
    this.handler.onUpstreamEnd(noTrailers);
  }

  fail(failure: FailureCode, detail: string): void {
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

  private settle(): void {
    this.isDone = true;
    this.connection = null;
    this.queuedBody = null;
    this.owner.onStreamDone();
  }
}
