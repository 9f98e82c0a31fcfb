// An exchange over one HTTP/2 stream of node:http2.
import type { OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { Downstream } from "../../exchange/downstream.ts";
import { Exchange, noTrailers } from "../../exchange/exchange.ts";
import type { ExchangeHandler } from "../../exchange/exchange.ts";
import type { Http2Head } from "./http2-head.ts";
import { httpDate } from "./http-date.ts";
import { announcedLength, isBodiless, isDroppedFromResponse } from "./response-framing.ts";

export interface Http2ExchangeSource {
  readonly handler: ExchangeHandler;
  readonly downstream: Downstream;
  readonly request: Http2Head;
  readonly stream: ServerHttp2Stream;
}

const exchangeOf = new WeakMap<ServerHttp2Stream, NodeH2Exchange>();

export class NodeH2Exchange extends Exchange {
  readonly #stream: ServerHttp2Stream;
  #awaitsContinue: boolean;
  #isBodiless = false;
  /** Ended, reset or aborted: no event reaches the handler any more. */
  #isOver = false;

  constructor({ handler, downstream, request, stream }: Http2ExchangeSource) {
    super(handler, downstream, request.head);
    this.#stream = stream;
    this.#awaitsContinue = request.awaitsContinue;
    exchangeOf.set(stream, this);
    stream.on("close", onClose).on("drain", onDrain).on("error", onError);
    if (request.head.bodyLength !== 0) stream.on("data", onData).on("end", onEnd);
    else stream.resume();
  }

  /** Hands the request to the proxy. A client that waits for it gets its 100 unless the answer is there already. */
  begin(): void {
    this.handler.onRequest(this);
    if (!this.#awaitsContinue || this.isResponseStarted || !this.#isOpen()) return;
    this.#stream.additionalHeaders({ ":status": 100 });
  }

  sendInformational(status: number, headers: readonly string[]): void {
    if (status <= 101 || !this.#isOpen() || this.#stream.headersSent) return;
    try {
      this.#stream.additionalHeaders({ ":status": status, ...collectHeaders(headers) });
    } catch {
      // Left out rather than failed: an interim response is only a hint.
    }
  }

  sendHead(status: number, headers: readonly string[], bodyLength: number): void {
    if (!this.#isOpen()) return;
    this.#isBodiless = isBodiless(this.method, status);
    const fields = collectHeaders(headers);
    fields[":status"] = status;
    fields["date"] ??= httpDate();
    const length = announcedLength(this.method, status, bodyLength);
    if (length >= 0) fields["content-length"] = String(length);
    if (!this.#respond(fields, bodyLength === 0 || this.#isBodiless)) this.reset();
    else if (this.closesConnection) this.#stream.session?.close();
  }

  sendData(chunk: Uint8Array): boolean {
    if (!this.#isOpen()) return false;
    if (this.#isBodiless) return true;
    // Copied because the stream writes later, and the chunk is only ours until we return.
    return this.#stream.write(Buffer.from(chunk));
  }

  sendEnd(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#stream.writableEnded) this.#stream.end();
    if (this.isRequestComplete) return;
    // RFC 9113, 8.1: the response is complete, the client may stop sending. Takes effect once the response is out.
    this.#stream.resume();
    this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  flush(): void {
    // Nothing is held back: node:http2 sends at the end of the turn.
  }

  reset(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // Not `close(code)`: that ends the body first, and a client would take what it got for all there is. With an error Node resets
    // the stream with INTERNAL_ERROR at once.
    this.#stream.destroy(new Error("the response cannot be completed"));
  }

  pauseBody(): void {
    if (!this.#isOver) this.#stream.pause();
  }

  resumeBody(): void {
    this.#stream.resume();
  }

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.handler.onDownstreamAborted(this);
  }

  receiveData(chunk: Uint8Array): void {
    if (!this.#isOver) this.handler.onRequestData(this, chunk);
  }

  receiveEnd(): void {
    if (!this.#isOver) this.handler.onRequestEnd(this, noTrailers);
  }

  drained(): void {
    if (!this.#isOver) this.handler.onDownstreamDrain(this);
  }

  /** Between a client's reset and its event the stream takes nothing any more and would throw. */
  #isOpen(): boolean {
    return !this.#isOver && !this.#stream.destroyed && !this.#stream.closed;
  }

  #respond(fields: OutgoingHttpHeaders, endStream: boolean): boolean {
    try {
      this.#stream.respond(fields, { endStream });
      return true;
    } catch (error) {
      if (!isRepeatedSingle(error)) return false;
    }
    // Node refuses a repeated `content-type` and its like, which HTTP/1.1 upstreams do send; the first one counts.
    for (const [name, value] of Object.entries(fields)) {
      if (Array.isArray(value) && name !== "set-cookie") fields[name] = value[0];
    }
    try {
      this.#stream.respond(fields, { endStream });
      return true;
    } catch {
      return false;
    }
  }
}

/** Node 20 takes no flat lists. Repeated headers become arrays, which go out as separate fields. */
function collectHeaders(headers: readonly string[]): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = Object.create(null) as OutgoingHttpHeaders;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    const value = headers[i + 1] ?? "";
    if (isDroppedFromResponse(name)) continue;
    const known = fields[name];
    if (known === undefined) fields[name] = value;
    else fields[name] = Array.isArray(known) ? [...known, value] : [String(known), value];
  }
  return fields;
}

function isRepeatedSingle(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_HTTP2_HEADER_SINGLE_VALUE";
}

function onData(this: ServerHttp2Stream, chunk: Uint8Array): void {
  exchangeOf.get(this)?.receiveData(chunk);
}

function onEnd(this: ServerHttp2Stream): void {
  exchangeOf.get(this)?.receiveEnd();
}

function onDrain(this: ServerHttp2Stream): void {
  exchangeOf.get(this)?.drained();
}

function onError(): void {
  // Followed by close.
}

function onClose(this: ServerHttp2Stream): void {
  exchangeOf.get(this)?.closed();
}
