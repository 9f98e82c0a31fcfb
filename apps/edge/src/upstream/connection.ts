// One keep-alive HTTP/1.1 connection to an endpoint, carrying one stream at a time. It owns the socket: reading, pausing, what a
// close means for the request under way. Nothing here decides which connection a request takes; that is the pool's.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { FailureCode } from "../exchange/failure.ts";
import { pieceBytes, pieceSize } from "../exchange/piece-size.ts";
import { type ConnectTarget, localAddressOf, openPlain, openSecure, type SecureTarget } from "./open-socket.ts";
import type { RequestStream, StreamCarrier } from "./request-stream.ts";
import { RequestWriter } from "./request-writer.ts";
import { type ResponseEvents, ResponseParser } from "./response-parser.ts";
import { releaseReadBuffer, takeReadBuffer } from "./read-buffers.ts";
import { isWebSocketAnswer, withoutWebSocketAnswer } from "./web-socket-key.ts";

/** The pool, as its connections see it. */
export interface ConnectionOwner {
  /** It has carried a response and can carry another. */
  onConnectionIdle(connection: Http1Connection): void;
  /** Called once for every connection; it carries nothing any more. */
  onConnectionClosed(connection: Http1Connection): void;
  onConnectFailure(): void;
  /** The connection died before the upstream answered; the stream may be sent again. */
  resend(stream: RequestStream): void;
}

const smallBytes = pieceBytes[pieceSize.small];
const noBytes = Buffer.alloc(0);

function continueReading(connection: Http1Connection): void {
  connection.continueReading();
}

export class Http1Connection implements ResponseEvents, StreamCarrier {
  /** `127.0.0.1:51234`; empty until connected. */
  localAddress: string;
  readonly remoteAddress: string;
  /** Clock time when it last became idle; kept by the pool. */
  idleSinceMs: number;
  /** Responses carried so far. */
  servedCount: number;
  isClosed: boolean;
  /** What the present request's body has to wait for is there. */
  takesBody: boolean;
  /** `performance.now()` from which on it carries no further request. */
  readonly expiresAtMs: number;
  private readonly owner: ConnectionOwner;
  private readonly socket: Socket;
  private readonly parser: ResponseParser;
  private readonly writer: RequestWriter;
  private connectTimer: NodeJS.Timeout | null;
  private stream: RequestStream | null;
  /** Bytes that arrived while the stream was paused. At most one read: reading stops with them. */
  private held: Buffer | null;
  private isConnected: boolean;
  /** Requests may leave: at once on cleartext, where the socket keeps them until connected; with TLS after `verify`. */
  private isReady: boolean;
  /** The upstream has begun to answer the present request. */
  private hasAnswer: boolean;
  /** Inside `feed`: pause and resume only leave a mark, `feed` acts on it. */
  private isFeeding: boolean;
  private isResumeScheduled: boolean;
  /** The upstream has agreed to an upgrade. The connection carries nothing else any more. */
  private isTunnel: boolean;
  /** What is read is in a buffer that others read into, too. */
  private readonly sharesBuffers: boolean;
  private readsInto: Buffer;
  /** The present response has brought as much as a read takes: there is more, and larger pieces are worth while. */
  private hasFilledPiece: boolean;
  private hasTunnelHalfEnded: boolean;
  private detail: string;

  constructor(owner: ConnectionOwner, target: ConnectTarget, maxDurationMs: number) {
    this.localAddress = "";
    this.remoteAddress = target.address.name;
    this.idleSinceMs = 0;
    this.servedCount = 0;
    this.isClosed = false;
    this.takesBody = false;
    this.expiresAtMs = maxDurationMs === Infinity ? Infinity : performance.now() + maxDurationMs;
    this.owner = owner;
    this.parser = new ResponseParser(this);
    this.stream = null;
    this.held = null;
    this.isConnected = false;
    this.isReady = target.tls === null;
    this.hasAnswer = false;
    this.isFeeding = false;
    this.isResumeScheduled = false;
    this.isTunnel = false;
    this.sharesBuffers = target.tls === null;
    this.readsInto = takeReadBuffer(pieceSize.small);
    this.hasFilledPiece = false;
    this.hasTunnelHalfEnded = false;
    this.detail = "";
    this.socket = target.tls === null ? this.openPlain(target) : this.openSecure(target, target.tls);
    this.writer = new RequestWriter(this.socket, target.tls === null);
    this.connectTimer = setTimeout(() => this.onConnectTimeout(), target.connectTimeoutMs);
    this.socket.on("connect", () => this.onConnect());
    this.socket.on("drain", () => this.onDrain());
    this.socket.on("error", (error: NodeJS.ErrnoException) => this.onError(error));
    this.socket.on("end", () => this.onEof());
    this.socket.on("close", () => this.onSocketClose());
  }

  get bufferedBytes(): number {
    return this.socket.writableLength + (this.held?.length ?? 0);
  }

  /** False between the socket's end and the event that tells of it. */
  get isUsable(): boolean {
    return !this.isClosed && !this.socket.destroyed && this.socket.readable;
  }

  /** Sends a stream's request. The connection must be idle or new. */
  carry(stream: RequestStream): void {
    this.stream = stream;
    this.hasAnswer = false;
    this.hasFilledPiece = false;
    stream.connection = this;
    stream.localAddress = this.localAddress;
    stream.remoteAddress = this.remoteAddress;
    const { body, method } = stream.request;
    this.parser.begin(method === "HEAD", body === "upgrade");
    this.parser.isPaused = stream.isPaused;
    this.takesBody = false;
    if (this.isReady) this.start(stream);
  }

  writeBody(chunk: Uint8Array): boolean {
    return this.writer.write(chunk);
  }

  endBody(trailers: readonly string[]): void {
    this.writer.end(trailers);
  }

  pauseReading(): void {
    this.parser.isPaused = true;
    // Before the connection stands nothing is read; the first read then finds the mark.
    if (!this.isFeeding && this.isConnected && this.isReady) this.socket.pause();
  }

  /** Goes on in the next tick: a handler that calls `resume` is not called back from inside it. */
  resumeReading(): void {
    if (!this.parser.isPaused) return;
    this.parser.isPaused = false;
    if (this.isFeeding || this.isResumeScheduled) return;
    this.isResumeScheduled = true;
    process.nextTick(continueReading, this);
  }

  continueReading(): void {
    this.isResumeScheduled = false;
    if (this.isClosed || this.stream === null || this.parser.isPaused) return;
    const held = this.held ?? noBytes;
    this.held = null;
    // Also without bytes: an end may be due, or the flush that the pause has held up.
    if ((held.length > 0 || this.parser.hasHead) && !this.feed(held, held.length)) return;
    this.socket.resume();
  }

  /** Closes at once. A stream that it still carries is forgotten, not told. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.stream = null;
    this.held = null;
    releaseReadBuffer(this.readsInto);
    this.readsInto = takeReadBuffer(pieceSize.small);
    this.parser.stop();
    this.writer.stop();
    this.clearConnectTimer();
    this.socket.destroy();
    this.owner.onConnectionClosed(this);
  }

  onInformational(status: number, headers: string[]): void {
    this.stream?.handler.onUpstreamInformational(status, headers);
  }

  onHead(status: number, headers: string[], bodyLength: number): void {
    if (status === 101) this.onSwitch(headers);
    else this.stream?.takeHead(status, headers, bodyLength);
  }

  onBody(chunk: Uint8Array): void {
    this.stream?.handler.onUpstreamData(chunk);
  }

  /** The upstream agrees to the upgrade: bytes flow in both directions until both sides have ended. */
  private onSwitch(headers: string[]): void {
    const { stream } = this;
    if (stream === null) return;
    const { head, origin } = stream.request;
    // A client on HTTP/2 knows nothing of keys (RFC 8441, 5): the question was ours, so is the check of the answer.
    const isOurs = origin.protocol === "HTTP/2" && origin.upgrade === "websocket";
    if (isOurs && !isWebSocketAnswer(head, headers)) {
      this.failStream("upstream_protocol_error", "bad sec-websocket-accept");
      return;
    }
    this.takesBody = true;
    this.isTunnel = true;
    this.socket.allowHalfOpen = true;
    stream.takeHead(101, isOurs ? withoutWebSocketAnswer(headers) : headers, -1);
    if (!this.isClosed) stream.handOverQueue(this);
  }

  /** Sends what there is of a request. */
  private start(stream: RequestStream): void {
    const { body } = stream.request;
    this.takesBody = body !== "upgrade";
    this.writer.begin(stream.request);
    if (this.takesBody && (stream.queuedBody !== null || (stream.isEnded && body !== "none")))
      stream.handOverQueue(this);
  }

  private openPlain(target: ConnectTarget): Socket {
    const onread = {
      buffer: () => this.chooseReadBuffer(),
      callback: (count: number, bytes: Uint8Array) => this.onRead(bytes as Buffer, count),
    };
    return openPlain(target, onread);
  }

  /** For the next read; asked for behind every read, and for the first one before anybody has sent anything. */
  private chooseReadBuffer(): Buffer {
    const { stream } = this;
    const isBulk = this.hasFilledPiece && stream !== null && !this.isTunnel && !this.isClosed;
    if (isBulk || this.readsInto.length > smallBytes) {
      releaseReadBuffer(this.readsInto);
      this.readsInto = takeReadBuffer(isBulk ? stream.handler.pieceSize : pieceSize.small);
    }
    return this.readsInto;
  }

  private openSecure(target: ConnectTarget, tls: SecureTarget): TLSSocket {
    const socket = openSecure(target, tls);
    socket.on("secureConnect", () => this.onSecure(socket, tls));
    socket.on("data", (chunk: Buffer) => {
      if (!this.onRead(chunk, chunk.length)) socket.pause();
    });
    return socket;
  }

  private onSecure(socket: TLSSocket, { origination, serverName }: SecureTarget): void {
    if (this.isClosed) return;
    const problem = origination.verify(socket, serverName);
    if (problem !== null) {
      this.detail = problem;
      this.onLost();
      return;
    }
    this.isReady = true;
    this.clearConnectTimer();
    if (this.stream !== null) this.start(this.stream);
  }

  /** A read has brought `bytes[0, count)`. Returns whether to go on reading. */
  private onRead(bytes: Buffer, count: number): boolean {
    if (this.stream === null) {
      // Nothing was asked: the tail of an overlong response, or a farewell (408). Taken for an answer it would be the wrong one.
      this.close();
      return false;
    }
    if (this.writer.isHeadHeld) {
      // An answer to a request not sent yet is none.
      this.onLost();
      return false;
    }
    this.hasAnswer = true;
    if (count === bytes.length && this.sharesBuffers) this.hasFilledPiece = true;
    if (this.held !== null) {
      // Reading was stopped, so this should not be; but if it is, the order of bytes must not suffer.
      this.hold(bytes, 0, count);
      return false;
    }
    return this.feed(bytes, count);
  }

  /** Hands `bytes[0, end)` to the stream. Returns whether the connection should go on reading. */
  private feed(bytes: Buffer, end: number): boolean {
    const { parser, stream } = this;
    this.isFeeding = true;
    const position = parser.execute(bytes, 0, end);
    // `isClosed`: a handler has aborted the stream.
    if (!this.isClosed && parser.fault === null && !parser.isDone && !parser.isPaused && parser.hasHead) {
      stream?.handler.onUpstreamFlush();
    }
    this.isFeeding = false;
    if (this.isClosed) return false;
    if (parser.fault !== null) {
      this.failStream("upstream_protocol_error", parser.fault);
      return false;
    }
    if (parser.isPaused) {
      if (position < end) this.hold(bytes, position, end);
      return false;
    }
    if (parser.isDone) this.finishStream(position < end);
    return !this.isClosed;
  }

  private hold(bytes: Buffer, start: number, end: number): void {
    const rest = bytes.subarray(start, end);
    if (this.held !== null) this.held = Buffer.concat([this.held, rest]);
    else this.held = this.sharesBuffers ? Buffer.from(rest) : rest;
  }

  /** The response is complete. Extra bytes behind it, or a request still being sent, make the connection useless. */
  private finishStream(hasExtraBytes: boolean): void {
    const { stream } = this;
    this.stream = null;
    if (this.parser.canReuse && this.writer.isComplete && !hasExtraBytes) {
      this.servedCount++;
      this.owner.onConnectionIdle(this);
    } else {
      this.close();
    }
    stream?.complete(this.parser.trailers);
  }

  private failStream(failure: FailureCode, detail: string): void {
    const { stream } = this;
    this.close();
    stream?.fail(failure, detail);
  }

  /** The connection is gone and the response is not complete. */
  private onLost(): void {
    const { stream, detail } = this;
    if (stream === null) {
      this.close();
    } else if (!this.isConnected) {
      this.owner.onConnectFailure();
      this.failStream("connect_failure", detail);
    } else if (!this.isReady) {
      this.owner.onConnectFailure();
      this.failStream("upstream_tls_failure", detail);
    } else if (this.parser.hasHead) {
      this.failStream("upstream_reset_midway", detail);
    } else if (this.servedCount > 0 && !this.hasAnswer && stream.isResendable) {
      // Most likely the upstream closed the idle connection while our request was under way. Should it have acted on it after
      // all, then on one that may be repeated (RFC 9112 9.3.1).
      this.close();
      stream.connection = null;
      stream.hasBeenResent = true;
      this.owner.resend(stream);
    } else {
      this.failStream("upstream_reset", detail);
    }
  }

  private onConnect(): void {
    const { socket } = this;
    this.isConnected = true;
    if (this.isReady) this.clearConnectTimer();
    this.localAddress = localAddressOf(socket);
    if (this.stream !== null) this.stream.localAddress = this.localAddress;
  }

  private onDrain(): void {
    if (this.takesBody) this.stream?.drain();
  }

  private onConnectTimeout(): void {
    this.owner.onConnectFailure();
    this.failStream("connect_timeout", "");
  }

  /** `close` follows every error and acts on it. */
  private onError(error: NodeJS.ErrnoException): void {
    this.detail = error.code ?? error.message;
  }

  private onEof(): void {
    if (this.isClosed) return;
    // A pause stops reading, so the end is not seen before the bytes held back have gone. Were it, this would be no proper end.
    if (this.isTunnel && this.stream !== null && this.held === null) this.endTunnelHalf(this.stream);
    else if (this.stream !== null && this.held === null && this.parser.finish()) this.finishStream(false);
    else this.onLost();
  }

  /** When both halves have ended the socket closes by itself, as soon as all that was written has left. */
  private endTunnelHalf(stream: RequestStream): void {
    this.hasTunnelHalfEnded = true;
    if (!stream.isEnded) stream.handler.onUpstreamHalfEnd();
  }

  private onSocketClose(): void {
    if (this.isClosed) return;
    if (this.hasTunnelHalfEnded && this.socket.writableFinished) this.finishStream(false);
    else this.onLost();
  }

  private clearConnectTimer(): void {
    if (this.connectTimer !== null) clearTimeout(this.connectTimer);
    this.connectTimer = null;
  }
}
