// An exchange over one HTTP/2 stream of node:http2.
import type { OutgoingHttpHeaders, ServerHttp2Stream, ServerStreamResponseOptions } from "node:http2";
import { constants } from "node:http2";
import type { Downstream } from "../../exchange/downstream.ts";
import { noTrailers } from "../../exchange/exchange.ts";
import type { ExchangeHandler } from "../../exchange/exchange.ts";
import { isGrpcType } from "../../exchange/grpc.ts";
import { allowedTrailers } from "../../exchange/trailers.ts";
import type { Http2Head } from "./http2-head.ts";
import { httpDate } from "../http-date.ts";
import { NodeExchange } from "./node-exchange.ts";
import { announcedLength, isBodiless } from "./response-framing.ts";

/** Bytes of a connection that were of use, counted up by whoever gets them. */
export interface Usefulness {
  bytes: number;
}

/** Of a frame's head. */
const frameHeadBytes = 9;

export interface Http2ExchangeSource {
  readonly handler: ExchangeHandler;
  readonly downstream: Downstream;
  readonly request: Http2Head;
  readonly stream: ServerHttp2Stream;
  readonly usefulness: Usefulness;
}

/** What a client may take to end its request once it has the answer. */
const requestGraceMs = 100;

const exchangeOf = new WeakMap<ServerHttp2Stream, NodeH2Exchange>();

export class NodeH2Exchange extends NodeExchange {
  readonly #stream: ServerHttp2Stream;
  readonly #usefulness: Usefulness;
  #awaitsContinue: boolean;
  #isBodiless = false;
  /** What the client sent behind the body, and what goes out behind ours. */
  #received: readonly string[] = noTrailers;
  #trailers: readonly string[] = noTrailers;
  #awaitsTrailers = false;
  #isResetByUs = false;

  constructor({ handler, downstream, request, stream, usefulness }: Http2ExchangeSource) {
    super({ handler, downstream, head: request.head, body: stream });
    this.#stream = stream;
    this.#usefulness = usefulness;
    this.#awaitsContinue = request.awaitsContinue;
    exchangeOf.set(stream, this);
    stream.on("close", onClose).on("drain", onDrain).on("error", onError);
    if (request.head.upgrade !== null) stream.on("end", onEnd);
    else if (request.head.bodyLength === 0) stream.resume();
    else stream.on("data", onData).on("end", onEnd).on("trailers", onTrailers);
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
    const isTunnel = status === 101 && this.upgrade !== null;
    this.#isBodiless = !isTunnel && isBodiless(this.method, status);
    const fields = collectHeaders(headers);
    // RFC 8441, 5: what HTTP/1.1 says with 101 and a hash of the key, HTTP/2 says with 200.
    fields[":status"] = isTunnel ? 200 : status;
    fields["date"] ??= httpDate();
    const length = isTunnel ? -1 : announcedLength(this.method, status, bodyLength);
    if (isTunnel) delete fields["sec-websocket-accept"];
    if (length >= 0) fields["content-length"] = String(length);
    const endStream = !isTunnel && (bodyLength === 0 || this.#isBodiless);
    // Whether trailers come is only known at the end; a response of known length has none, unless it is gRPC.
    const waitForTrailers = !endStream && !isTunnel && (bodyLength < 0 || isGrpcType(fields["content-type"]));
    if (!this.#respond(fields, { endStream, waitForTrailers })) return this.reset();
    if (this.closesConnection) this.#stream.session?.close();
    // Nothing was read before: the bytes of a tunnel mean nothing to whoever does not speak its protocol.
    if (isTunnel) this.#stream.on("data", onData);
  }

  sendData(chunk: Uint8Array): boolean {
    if (!this.#isOpen()) return false;
    if (this.#isBodiless) return true;
    // Copied because the stream writes later, and the chunk is only ours until we return.
    return this.#stream.write(Buffer.from(chunk));
  }

  sendEnd(trailers: readonly string[] = noTrailers): void {
    if (this.isOver) return;
    this.isOver = true;
    if (trailers.length > 0) this.#trailers = allowedTrailers(trailers);
    if (!this.#stream.writableEnded) this.#stream.end();
    if (this.isRequestComplete) return;
    this.#stream.resume();
    stopRequestSoon(this.#stream);
  }

  override sendHalfEnd(): boolean {
    if (!this.#isOpen()) return false;
    this.hasHalfEnded = true;
    this.#stream.end();
    return true;
  }

  /** A reset is one whatever has ended before it. */
  override closed(): void {
    if (this.#stream.rstCode !== constants.NGHTTP2_NO_ERROR) this.hasHalfEnded = false;
    super.closed();
  }

  flush(): void {
    // Nothing is held back: node:http2 sends at the end of the turn.
  }

  reset(): void {
    if (this.isOver) return;
    this.isOver = true;
    // Not `close(code)`: that ends the body first, and a client would take what it got for all there is. With an error Node resets
    // the stream with INTERNAL_ERROR at once.
    this.#isResetByUs = true;
    this.#stream.destroy(new Error("the response cannot be completed"));
  }

  get isResetByUs(): boolean {
    return this.#isResetByUs;
  }

  override receiveData(chunk: Uint8Array): void {
    this.#usefulness.bytes += chunk.length + frameHeadBytes;
    super.receiveData(chunk);
  }

  protected receivedTrailers(): readonly string[] {
    return this.#received;
  }

  receiveTrailers(raw: readonly string[]): void {
    this.#received = allowedTrailers(raw);
  }

  /** The body is out: the trailers, or the end of the stream. */
  sendTrailers(): void {
    try {
      this.#stream.sendTrailers(collectHeaders(this.#trailers));
    } catch {
      // Node refuses what it calls an invalid field. A client that waits for trailers must not take their absence for success.
      this.#stream.destroy(new Error("the trailers cannot be sent"));
    }
  }

  /** Between a client's reset and its event the stream takes nothing any more and would throw. */
  #isOpen(): boolean {
    return !this.isOver && !this.#stream.destroyed && !this.#stream.closed;
  }

  #respond(fields: OutgoingHttpHeaders, options: ServerStreamResponseOptions): boolean {
    this.#awaitsTrailers = options.waitForTrailers === true;
    if (this.#awaitsTrailers) this.#stream.once("wantTrailers", onWantTrailers);
    try {
      this.#stream.respond(fields, options);
      return true;
    } catch (error) {
      if (!isRepeatedSingle(error)) return false;
    }
    // Node refuses a repeated `content-type` and its like, which HTTP/1.1 upstreams do send; the first one counts.
    for (const [name, value] of Object.entries(fields)) {
      if (Array.isArray(value) && name !== "set-cookie") fields[name] = value[0];
    }
    try {
      this.#stream.respond(fields, options);
      return true;
    } catch {
      return false;
    }
  }
}

/** True when the stream was reset because its upstream failed: nothing the client is to blame for. */
export function isResetByUs(stream: ServerHttp2Stream): boolean {
  return exchangeOf.get(stream)?.isResetByUs ?? false;
}

/** False where the answer was out before the request's end came, also where none was expected any more. */
export function isRequestComplete(stream: ServerHttp2Stream): boolean {
  return exchangeOf.get(stream)?.isRequestComplete ?? false;
}

/** Node 20 takes no flat lists. Repeated headers become arrays, which go out as separate fields. */
function collectHeaders(headers: readonly string[]): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = Object.create(null) as OutgoingHttpHeaders;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    const value = headers[i + 1] ?? "";
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

function onTrailers(this: ServerHttp2Stream, _fields: unknown, _flags: number, raw: readonly string[]): void {
  exchangeOf.get(this)?.receiveTrailers(raw);
}

function onWantTrailers(this: ServerHttp2Stream): void {
  exchangeOf.get(this)?.sendTrailers();
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

/**
 * RFC 9113, 8.1: the response is complete, the client may stop sending. Not at once: curl 7.88 fails when it finds the reset in one read with
 * the answer, and most requests have their end under way already. Nor could trailers go out on a closed stream.
 */
export function stopRequestSoon(stream: ServerHttp2Stream): void {
  const timer = setTimeout(stopRequest, requestGraceMs, stream);
  stream.once("close", () => clearTimeout(timer));
}

function stopRequest(stream: ServerHttp2Stream): void {
  if (!stream.destroyed && !stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}
