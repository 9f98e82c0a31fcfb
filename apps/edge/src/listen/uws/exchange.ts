// An exchange on uWebSockets.js: how a response is framed and written there, how backpressure works in both directions, and how
// a connection is closed without anything more being read from it.
//
// The engine forgets a response (it is "done") when its last byte is taken, and only then parses the next request. It has no
// way to close a connection after a streamed response: `end(data, true)` writes `Connection: close` into the middle of a chunked
// body, and `tryEnd` cannot be told. Nor does it stop parsing after `end(data, true)` inside the request handler: what was
// pipelined behind is served, and the connection stays open. Hence one rule for every response that closes its connection:
// IT IS NEVER DONE. All of it is written, then the socket is closed. Whatever else arrives meets a pending response, and the
// engine closes such a connection without calling anyone.
import type { Downstream } from "../../exchange/downstream.ts";
import { Exchange, noTrailers, type ExchangeHandler } from "../../exchange/exchange.ts";
import { pieceSize, type PieceSize } from "../../exchange/piece-size.ts";
import { httpDate } from "../http-date.ts";
import { toWire } from "./field-text.ts";
import type { HttpResponse } from "./native.ts";
import type { UwsRequestHead } from "./request.ts";
import { formatHead } from "./response-head.ts";

/** The listener, as far as its exchanges know it. */
export interface ExchangeOwner {
  readonly handler: ExchangeHandler;
  readonly isDraining: boolean;
  /** The response has been handed to the engine entirely, or the connection is gone. Once an exchange. */
  onExchangeReleased(): void;
}

/** `none`: no body is sent whatever its announced length. `length`: Content-Length. `chunked`: Transfer-Encoding. */
type Framing = "none" | "length" | "chunked";

/** Reads smaller than this come from a client that trickles; see `keepReading`. */
const trickleBytes = 16 * 1024;

/** A client still sending gets this long to read the answer before the connection closes under it, as in Envoy. */
const lingerMs = 1000;

/** A client that takes nothing for this long has left; the engine's own limit for writes. */
const stallMs = 10_000;

/**
 * Ends a chunked body. A trailer field, because the only call that writes bytes as they are writes `name: value`; it stands for
 * the line end after the last chunk, the last chunk, and the trailer section with its own end.
 */
const lastChunkName = "\r\n0\r\nx-sluice-connection";
const lastChunkValue = "close\r\n";

/**
 * What may be written in one cork, heads and framing apart. The engine's buffer for it holds 16 KiB; a piece that does not fit makes it
 * send the buffer first, and where the socket takes no more of that, it keeps the buffer and forgets the piece. Within a chunked body
 * that is a hole behind a chunk's head. `tryEnd` tells; nothing else does.
 */
const corkBytes = 15 * 1024;

const empty = new Uint8Array(0);
const doNothing = (): void => {};

export class UwsExchange extends Exchange {
  private readonly owner: ExchangeOwner;
  protected readonly res: HttpResponse;
  /** `res` may be used: neither done nor gone. uWebSockets.js throws otherwise. */
  protected isOpen: boolean;
  private framing: Framing;
  /** Head held back until something goes with it; empty when it has gone. */
  private head: string;
  private isHeadAscii: boolean;
  private length: number;
  /** Bytes of a `length` body that the engine has taken. */
  private takenBytes: number;
  /** Of a chunked body, 0 to 2: with more than one the engine may hold some without having said so. */
  private pieceCount: number;
  /** Copy of what the engine did not take. */
  private rest: Uint8Array;
  private isClosing: boolean;
  /** `sendEnd` was called. */
  private isEnded: boolean;
  /** The engine has enough; goes on with `onWritable`. */
  private isWaiting: boolean;
  private hasWritableHandler: boolean;
  private isDelivered: boolean;
  private isBodyRead: boolean;
  private isBodyPaused: boolean;
  private linger: NodeJS.Timeout | null;

  constructor(owner: ExchangeOwner, downstream: Downstream, head: UwsRequestHead, res: HttpResponse) {
    super(owner.handler, downstream, head);
    this.owner = owner;
    this.res = res;
    this.isOpen = true;
    this.framing = "none";
    this.head = "";
    this.isHeadAscii = true;
    this.length = 0;
    this.takenBytes = 0;
    this.pieceCount = 0;
    this.rest = empty;
    this.isClosing = false;
    this.isEnded = false;
    this.isWaiting = false;
    this.hasWritableHandler = false;
    this.isDelivered = false;
    this.isBodyRead = head.bodyLength === 0;
    this.isBodyPaused = false;
    this.linger = null;
    this.closesConnection = head.closesConnection;
  }

  /** Attaches to the engine and hands the exchange over. Called once, inside the engine's request callback. */
  begin(): void {
    this.res.onAborted(() => this.onGone());
    if (!this.isBodyRead) this.res.onData((chunk, isLast) => this.onBody(chunk, isLast));
    this.handler.onRequest(this);
  }

  /** What the socket takes at once is not copied. */
  override get pieceSize(): PieceSize {
    return pieceSize.large;
  }

  /** uWebSockets.js can send no 1xx but the `100 Continue` it sends by itself. */
  override sendInformational(): void {}

  override sendHead(status: number, headers: readonly string[], bodyLength: number): void {
    this.isClosing = this.closesConnection || this.owner.isDraining;
    this.closesConnection = this.isClosing;
    this.length = bodyLength;
    const isBodiless = bodyLength === 0 || this.method === "HEAD" || status === 204 || status === 304;
    this.framing = isBodiless ? "none" : bodyLength < 0 ? "chunked" : "length";
    if (status === 204 || (status === 304 && bodyLength === 0)) this.length = -1;
    const { text, isAscii } = formatHead(status, headers);
    this.head = this.isClosing ? `${text}\r\nconnection: close` : text;
    this.isHeadAscii = isAscii;
  }

  override sendData(chunk: Uint8Array): boolean {
    if (!this.isOpen || chunk.length === 0 || this.framing === "none") return true;
    if (this.framing === "chunked") {
      this.writePieces(chunk);
    } else if (this.isWaiting) {
      this.rest = Buffer.concat([this.rest, chunk]);
    } else {
      this.corked(UwsExchange.writePart, chunk);
    }
    return !this.isWaiting;
  }

  override sendEnd(): void {
    this.isEnded = true;
    if (this.isOpen && !this.isWaiting) this.finish();
  }

  /** The head of a chunked response cannot leave before its first byte: the engine ends the head with the first chunk. */
  override flush(): void {
    if (this.isOpen && this.head !== "" && this.framing === "length") this.corked(UwsExchange.writePart, empty);
  }

  override reset(): void {
    this.close();
  }

  override pauseBody(): void {
    if (!this.isOpen || this.isBodyRead) return;
    this.isBodyPaused = true;
    this.res.pause();
  }

  override resumeBody(): void {
    if (!this.isOpen || !this.isBodyPaused) return;
    this.isBodyPaused = false;
    this.res.resume();
  }

  // --- writing ---

  // Corking joins what one callback writes into one system call. The callbacks are static and their arguments wait in static
  // fields, so that no closure is made for a write.
  private static current: UwsExchange;
  private static chunk: Uint8Array = empty;

  private corked(write: () => void, chunk: Uint8Array): void {
    UwsExchange.current = this;
    UwsExchange.chunk = chunk;
    this.res.cork(write);
    UwsExchange.chunk = empty;
  }

  private writePieces(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length && this.isOpen;) {
      const end = Math.min(at + Math.max(1, corkBytes - this.head.length), chunk.length);
      this.pieceCount = Math.min(this.pieceCount + 1, 2);
      this.corked(UwsExchange.writeChunk, at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end));
      at = end;
    }
  }

  private static readonly writePart = (): void => UwsExchange.current.offer(UwsExchange.chunk);

  private static readonly writeChunk = (): void => {
    const exchange = UwsExchange.current;
    exchange.releaseHead();
    // What is not taken is copied by the engine, so at most one piece waits there.
    if (!exchange.res.write(UwsExchange.chunk)) exchange.wait();
  };

  private static readonly writeLastChunk = (): void => {
    const { res, isClosing } = UwsExchange.current;
    if (isClosing) res.writeHeader(lastChunkName, lastChunkValue);
    else res.end();
  };

  private static readonly writeBodiless = (): void => {
    const exchange = UwsExchange.current;
    if (exchange.isClosing) exchange.writeWholeHead();
    else exchange.writeDoneHead();
  };

  private releaseHead(): void {
    if (this.head === "") return;
    this.res.writeStatus(this.isHeadAscii ? this.head : toWire(this.head));
    this.head = "";
  }

  /** Offers bytes of a `length` body and keeps what the engine does not take. */
  private offer(chunk: Uint8Array): void {
    const { res, length, takenBytes } = this;
    const part = chunk.length > length - takenBytes ? chunk.subarray(0, length - takenBytes) : chunk;
    const isWhole = takenBytes + part.length === length;
    if (this.head !== "") {
      const fits = part.length + this.head.length <= corkBytes;
      this.releaseHead();
      if (isWhole && takenBytes === 0 && !this.isClosing && fits) {
        // The common case, a small body in one piece: no result to look at, and what does not fit is copied by the engine.
        this.unpause();
        res.end(part);
        this.takenBytes = length;
        return this.release();
      }
      // The first call fixes the Content-Length; it must not have all bytes already where the response may not be done.
      if (this.isClosing) res.tryEnd(empty, length);
    }
    if (isWhole) this.unpause();
    const [isTaken, isDone] = res.tryEnd(part, this.isClosing ? length + 1 : length);
    if (isDone) {
      this.takenBytes = length;
      return this.release();
    }
    this.takenBytes = res.getWriteOffset();
    if (isTaken) return;
    const left = part.subarray(this.takenBytes - takenBytes);
    this.rest = left.length === 0 ? empty : Buffer.from(left);
    this.wait();
  }

  private wait(): void {
    this.isWaiting = true;
    if (this.hasWritableHandler) return;
    this.hasWritableHandler = true;
    this.res.onWritable(() => this.onWritable());
  }

  private onWritable(): boolean {
    if (!this.isOpen) return true;
    if (!this.isWaiting) {
      // What the last piece has left behind.
      if (this.framing === "chunked") this.res.cork(doNothing);
      return true;
    }
    this.isWaiting = false;
    if (this.framing === "length") {
      const { rest } = this;
      this.rest = empty;
      this.offer(rest);
      if (this.isWaiting) return false;
    } else {
      // With a handler registered the engine does not send what it holds by itself; the end of a cork does.
      this.res.cork(doNothing);
    }
    if (this.isDelivered) this.closeSoon();
    else if (!this.isEnded) this.handler.onDownstreamDrain(this);
    else if (this.isOpen) this.finish();
    return true;
  }

  /** Everything given has been taken and no more comes. */
  private finish(): void {
    if (this.framing === "length") {
      // Short: only a closed connection tells the client so.
      if (this.takenBytes < this.length) return this.close();
    } else if (this.framing === "none") {
      this.corked(UwsExchange.writeBodiless, empty);
    } else {
      this.unpause();
      this.corked(this.head === "" ? UwsExchange.writeLastChunk : UwsExchange.writeBodiless, empty);
    }
    if (this.isClosing) this.closeSoon();
    else this.release();
  }

  /** A head without a body that leaves the response done. */
  private writeDoneHead(): void {
    const { res, length } = this;
    this.unpause();
    const isEmptyChunked = this.framing === "chunked";
    this.releaseHead();
    if (isEmptyChunked || length === 0) {
      res.end();
    } else if (length < 0) {
      res.endWithoutBody();
    } else {
      // `endWithoutBody(length)` leaves the response pending and so kills the connection at its next request. The second call
      // writes nothing: its total equals what was written.
      res.tryEnd(empty, length);
      res.tryEnd(empty, 0);
    }
  }

  /** A head without a body that leaves the response pending: everything is in the status line, even the empty line. */
  private writeWholeHead(): void {
    const length = this.framing === "chunked" ? 0 : this.length;
    const framing = length < 0 ? "" : `\r\ncontent-length: ${length}`;
    this.head += `\r\ndate: ${httpDate()}${framing}\r\n`;
    this.releaseHead();
  }

  // --- reading ---

  private onBody(chunk: ArrayBuffer, isLast: boolean): void {
    this.isBodyRead ||= isLast;
    if (this.isOpen && !this.isDone) {
      if (chunk.byteLength > 0) this.handler.onRequestData(this, new Uint8Array(chunk));
      if (isLast) this.handler.onRequestEnd(this, noTrailers);
    }
    if (!isLast) this.keepReading(chunk.byteLength);
    else if (this.linger !== null && !this.isWaiting) setImmediate(closeNow, this);
  }

  // The engine closes connections that send less than 16 KiB a second. Pausing and resuming starts its clock anew, so that only
  // clients that send nothing at all for 10 s are closed. A write that fails makes it read again though it is paused.
  private keepReading(bytes: number): void {
    if (!this.isOpen) return;
    if (this.isBodyPaused) {
      this.res.pause();
    } else if (bytes < trickleBytes) {
      this.res.pause();
      this.res.resume();
    }
  }

  /** A done response with its body paused would leave the connection deaf. */
  private unpause(): void {
    if (!this.isClosing) this.resumeBody();
  }

  // --- the end ---

  private onGone(): void {
    if (!this.isOpen) return;
    const wasEnded = this.isEnded && !this.isWaiting;
    this.release();
    if (!wasEnded) this.handler.onDownstreamAborted(this);
  }

  /** Not at once: inside the engine's callbacks the answer has not left the cork buffer yet. */
  private closeSoon(): void {
    this.isDelivered = true;
    setImmediate(closeDelivered, this);
  }

  /** @internal */
  closeWhenTaken(): void {
    if (!this.isOpen) return;
    if (this.framing === "length") {
      this.corked(UwsExchange.writePart, empty);
      if (this.isWaiting) return;
    } else if (this.framing === "chunked" && (this.hasWritableHandler || this.pieceCount > 1)) {
      // The engine may hold a piece of the body still and does not tell when it has gone. The client closes when it has all.
      this.isWaiting = true;
      return this.lingerFor(stallMs);
    }
    if (this.isBodyRead) return this.close();
    this.resumeBody();
    this.lingerFor(lingerMs);
  }

  private lingerFor(durationMs: number): void {
    if (this.linger !== null) clearTimeout(this.linger);
    this.linger = setTimeout(closeNow, durationMs, this);
  }

  /** @internal */
  close(): void {
    if (!this.isOpen) return;
    this.release();
    this.res.close();
  }

  protected release(): void {
    this.isOpen = false;
    if (this.linger !== null) clearTimeout(this.linger);
    this.rest = empty;
    this.owner.onExchangeReleased();
  }
}

function closeDelivered(exchange: UwsExchange): void {
  exchange.closeWhenTaken();
}

function closeNow(exchange: UwsExchange): void {
  exchange.close();
}
