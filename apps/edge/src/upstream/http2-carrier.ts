// One request on an HTTP/2 connection: joins a RequestStream to a stream of node:http2 and decides what its end means. The response is
// complete only when the upstream has said END_STREAM; node:http2 also ends a stream that was reset.
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from "node:http2";
import { noTrailers } from "../exchange/exchange.ts";
import type { FailureCode } from "../exchange/failure.ts";
import { endToEndFields, toHeaderObject } from "./http2-headers.ts";
import type { RequestStream, StreamCarrier } from "./request-stream.ts";
import { allowedTrailers } from "../exchange/trailers.ts";
import { webSocketAccept, webSocketKeyOf } from "./web-socket-key.ts";

const {
  NGHTTP2_CANCEL,
  NGHTTP2_COMPRESSION_ERROR,
  NGHTTP2_ENHANCE_YOUR_CALM,
  NGHTTP2_FLAG_END_STREAM,
  NGHTTP2_FLOW_CONTROL_ERROR,
  NGHTTP2_FRAME_SIZE_ERROR,
  NGHTTP2_NO_ERROR,
  NGHTTP2_PROTOCOL_ERROR,
  NGHTTP2_REFUSED_STREAM,
} = constants;

const protocolErrors: ReadonlySet<number> = new Set([
  NGHTTP2_PROTOCOL_ERROR,
  NGHTTP2_FLOW_CONTROL_ERROR,
  NGHTTP2_FRAME_SIZE_ERROR,
  NGHTTP2_COMPRESSION_ERROR,
  NGHTTP2_ENHANCE_YOUR_CALM,
]);

/** The connection, as its streams see it. */
export interface CarrierOwner {
  /** Called once for every carrier, after its stream has been told. */
  onCarrierDone(carrier: Http2Carrier): void;
  /** Whether the upstream cannot have seen this stream: it went away without. */
  hasIgnored(streamId: number): boolean;
  /** The connection is gone and had answered before: most likely the upstream closed it for being idle. */
  readonly hasDiedOfAge: boolean;
  resend(stream: RequestStream): void;
}

export class Http2Carrier implements StreamCarrier {
  takesBody: boolean;
  private readonly owner: CarrierOwner;
  private readonly stream: RequestStream;
  private readonly h2: ClientHttp2Stream;
  private hasHead: boolean;
  /** The upstream has said END_STREAM. */
  private hasEnd: boolean;
  /** Of the body that was announced; Infinity without a length, or without a body. */
  private remainingBytes: number;
  private isDone: boolean;
  private isFlushScheduled: boolean;
  private hasSentBody: boolean;
  private isTunnel: boolean;
  private trailers: readonly string[];

  constructor(owner: CarrierOwner, stream: RequestStream, h2: ClientHttp2Stream) {
    this.takesBody = false;
    this.owner = owner;
    this.stream = stream;
    this.h2 = h2;
    this.hasHead = false;
    this.hasEnd = false;
    this.remainingBytes = Infinity;
    this.isDone = false;
    this.isFlushScheduled = false;
    this.hasSentBody = false;
    this.isTunnel = false;
    this.trailers = noTrailers;
    this.watchEnd();
    h2.on("headers", (headers: IncomingHttpHeaders, _flags: number, raw: string[]) =>
      this.onInformational(headers, raw),
    );
    h2.on("response", (headers: IncomingHttpHeaders, flags: number, raw: string[]) =>
      this.onResponse(headers, flags, raw),
    );
    h2.on("trailers", (_headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
      this.trailers = allowedTrailers(endToEndFields(raw));
    });
    h2.on("end", () => this.onEnd());
    h2.on("drain", () => this.onDrain());
    h2.on("wantTrailers", () => h2.sendTrailers(toHeaderObject(allowedTrailers(stream.trailers))));
    h2.on("error", () => {});
    h2.on("close", () => this.onClose());
  }

  get bufferedBytes(): number {
    return this.h2.writableLength + this.h2.readableLength;
  }

  /** Sends what the stream has of its body by now. */
  start(): void {
    const { body } = this.stream.request;
    this.takesBody = body !== "upgrade";
    if (this.takesBody && body !== "none") this.stream.handOverQueue(this);
  }

  writeBody(chunk: Uint8Array): boolean {
    this.hasSentBody = true;
    return this.h2.write(Buffer.from(chunk));
  }

  endBody(): void {
    this.h2.end();
  }

  pauseReading(): void {
    if (this.hasHead) this.h2.pause();
  }

  resumeReading(): void {
    if (this.hasHead) this.h2.resume();
  }

  close(): void {
    this.finish(NGHTTP2_CANCEL);
  }

  /**
   * node:http2 calls `push(null)` for END_STREAM, but also for a reset in the middle of a response, whatever its code; then comes
   * `end`, and `error` too late. Only for END_STREAM is the stream still open at the call (docs/adr/0005).
   */
  private watchEnd(): void {
    const { h2 } = this;
    const push = h2.push.bind(h2);
    h2.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk === null && !h2.closed) this.hasEnd = true;
      return push(chunk, encoding);
    };
  }

  private onInformational(headers: IncomingHttpHeaders, raw: readonly string[]): void {
    const status = Number(headers[":status"]);
    if (!this.isDone && !this.hasHead && status >= 100) {
      this.stream.handler.onUpstreamInformational(status, endToEndFields(raw));
    }
  }

  private onResponse(headers: IncomingHttpHeaders, flags: number, raw: readonly string[]): void {
    if (this.isDone) return;
    const { h2, stream } = this;
    const status = Number(headers[":status"]);
    const isUpgraded = stream.request.body === "upgrade" && status === 200;
    if ((flags & NGHTTP2_FLAG_END_STREAM) !== 0) this.hasEnd = true;
    this.hasHead = true;
    if (isUpgraded) {
      this.takesBody = true;
      this.isTunnel = true;
      stream.takeHead(101, this.switchFields(raw), -1);
      if (!this.isDone) stream.handOverQueue(this);
    } else {
      const bodyLength = this.bodyLengthOf(status, headers);
      if (bodyLength > 0 && stream.request.method !== "HEAD" && status !== 304) this.remainingBytes = bodyLength;
      stream.takeHead(status, endToEndFields(raw), bodyLength);
    }
    if (this.isDone) return;
    this.scheduleFlush();
    h2.on("data", (chunk: Buffer) => this.onData(chunk));
    if (stream.isPaused) h2.pause();
  }

  private bodyLengthOf(status: number, headers: IncomingHttpHeaders): number {
    const announced = headers["content-length"];
    const isBodiless = this.stream.request.method === "HEAD" || status === 304;
    if (status === 204 || (this.hasEnd && !isBodiless)) return 0;
    return announced === undefined ? -1 : Number(announced);
  }

  /** To a client on HTTP/1.1 the upstream's consent has to look like a WebSocket handshake. */
  private switchFields(raw: readonly string[]): string[] {
    const { head, origin } = this.stream.request;
    const key = origin.protocol !== "HTTP/2" && origin.upgrade === "websocket" ? webSocketKeyOf(head) : null;
    return [...endToEndFields(raw), ...(key === null ? [] : ["sec-websocket-accept", webSocketAccept(key)])];
  }

  private onData(chunk: Buffer): void {
    if (this.isDone) return;
    this.remainingBytes -= chunk.length;
    this.stream.handler.onUpstreamData(chunk);
    this.scheduleFlush();
  }

  /** What one read of the connection brings for this stream goes out together. */
  private scheduleFlush(): void {
    if (this.isFlushScheduled) return;
    this.isFlushScheduled = true;
    setImmediate(flush, this);
  }

  flush(): void {
    this.isFlushScheduled = false;
    if (!this.isDone) this.stream.handler.onUpstreamFlush();
  }

  private onEnd(): void {
    if (this.isDone || !this.hasHead || !(this.hasEnd || this.isWhole)) return;
    // The request's body is of no more use when the response is complete (RFC 9113, 8.1).
    const { stream, trailers } = this;
    // Unless it was a tunnel, whose halves end by themselves: the stream closes when both have.
    if (this.isTunnel) {
      if (!stream.isEnded) stream.handler.onUpstreamHalfEnd();
      return;
    }
    this.finish(this.h2.writableEnded ? null : NGHTTP2_NO_ERROR);
    stream.complete(trailers);
  }

  /**
   * All that was announced is here, and the stream was given up without an error: node:http2 as a server does that to a client that had
   * no window left for an empty DATA frame with END_STREAM.
   */
  private get isWhole(): boolean {
    return this.remainingBytes === 0 && this.h2.rstCode === NGHTTP2_NO_ERROR;
  }

  private onDrain(): void {
    if (this.takesBody) this.stream.drain();
  }

  /** The stream is gone; when that is news, the response is not complete. */
  private onClose(): void {
    if (this.isDone) return;
    const { h2, owner, stream } = this;
    const code = h2.rstCode;
    if (this.isTunnel && this.hasEnd && stream.isEnded && code === NGHTTP2_NO_ERROR) {
      this.finish(null);
      stream.complete(noTrailers);
      return;
    }
    const isUnseen = code === NGHTTP2_REFUSED_STREAM || (h2.id !== undefined && owner.hasIgnored(h2.id)) || h2.pending;
    const isStale = owner.hasDiedOfAge && stream.isResendable;
    this.finish(null);
    // Not seen: any request may go again (RFC 9113, 8.7), as long as its body is still here. Unanswered: those that may be repeated.
    if (!this.hasHead && !stream.hasBeenResent && !this.hasSentBody && (isUnseen || isStale)) {
      stream.connection = null;
      stream.hasBeenResent = true;
      owner.resend(stream);
    } else {
      const failure = this.hasHead ? "upstream_reset_midway" : isUnseen ? "upstream_refused_stream" : failureOf(code);
      stream.fail(failure, `RST_STREAM ${code}`);
    }
  }

  private finish(resetCode: number | null): void {
    if (this.isDone) return;
    this.isDone = true;
    if (resetCode !== null && !this.h2.closed) this.h2.close(resetCode);
    // Data that nobody wants must not fill the stream's window, nor hold back its end.
    this.h2.resume();
    this.owner.onCarrierDone(this);
  }
}

function flush(carrier: Http2Carrier): void {
  carrier.flush();
}

function failureOf(code: number | undefined): FailureCode {
  return code !== undefined && protocolErrors.has(code) ? "upstream_protocol_error" : "upstream_reset";
}
