// HTTP/2 on one socket through our own codec: streams become exchanges, and what they answer leaves together.
import type { Socket } from "node:net";
import { type ConnectionFault, errorCode } from "../../../codec/http2/frame.ts";
import { Http2Session } from "../../../codec/http2/session.ts";
import type { SessionEvents } from "../../../codec/http2/session-events.ts";
import type { Stream } from "../../../codec/http2/stream.ts";
import type { Downstream } from "../../../exchange/downstream.ts";
import { type FailureCode, failures } from "../../../exchange/failure.ts";
import { type Flushable, flushLater } from "../../../exchange/turn-end.ts";
import { readTransiently } from "../../../network/transient-reads.ts";
import { httpDate } from "../../http-date.ts";
import type { EngineContext } from "../../listener.ts";
import type { HttpConnection } from "../connection.ts";
import { writePooled } from "./write-pooled.ts";
import { readHttp2Head } from "../http2-head.ts";
import type { Timed } from "./clock.ts";
import { sayFarewell } from "./farewell.ts";
import { OwnHttp2Exchange } from "./http2-exchange.ts";
import type { OwnConnectionSource } from "./server.ts";

/** How long a client may take to learn that the connection takes no more streams. */
const graceMs = 1000;
/**
 * How long a client has at least to read an answer before it is told that the rest of its request is not wanted; most have their end under way
 * already. curl 7.88 fails when it finds both in one read.
 */
const answerGraceMs = 100;
/** Written and not taken: bodies wait from here on. With TLS a write is always under way when it returns, so that one or two are no sign. */
const enoughBytes = 128 * 1024;
/** Answers to frames that a client sends and never reads: beyond this it is no client. */
const maxUnsentBytes = 4 * 1024 * 1024;

/** Not counted as headers. */
const pseudoHeaderCount = 4;

export type ExchangeStream = Stream<OwnHttp2Exchange>;

export class OwnHttp2Connection implements HttpConnection, SessionEvents<OwnHttp2Exchange>, Timed, Flushable {
  readonly session: Http2Session<OwnHttp2Exchange>;
  readonly #socket: Socket;
  readonly #downstream: Downstream;
  readonly #context: EngineContext;
  /** Those that hold crumbs of the read under way. */
  #gathering: OwnHttp2Exchange[] = [];
  #isReading = false;
  #isFlushPlanned = false;
  #isStopPlanned = false;
  #isDraining: boolean;
  /** Nothing is sent behind what is under way. */
  #isEnding = false;
  #hasEnded = false;
  #isHeadGivenUp = false;
  #hasServed = false;
  #idleSinceMs = performance.now();
  #headSinceMs = 0;
  #completedCount = 0;
  /** Since when the socket takes nothing; 0: it does. */
  #backedUpSinceMs = 0;

  constructor({ socket, downstream, state }: OwnConnectionSource) {
    this.#socket = socket;
    this.#downstream = downstream;
    this.#context = state.context;
    this.#isDraining = state.isDraining;
    this.session = new Http2Session<OwnHttp2Exchange>(this, state.context.limits, () => performance.now());
    readTransiently(socket, (bytes) => this.#onBytes(bytes));
    socket
      .on("drain", () => this.#onDrain())
      .on("end", () => this.#end())
      .on("close", () => this.session.closeAll());
    this.touch();
    socket.resume();
  }

  drain(): void {
    this.#isDraining = true;
    this.session.drain();
    this.touch();
    setTimeout(() => {
      this.session.finishDrain();
      this.touch();
    }, graceMs).unref();
  }

  checkTime(nowMs: number): void {
    const { session } = this;
    this.#checkHead(nowMs);
    this.#checkReader(nowMs);
    if (session.streamCount > 0) this.#idleSinceMs = nowMs;
    else if (nowMs - this.#idleSinceMs < this.#idleLimitMs) return;
    // One head begun after the other, and none that becomes a request.
    else if (session.isInHead) this.#giveUpHead();
    else {
      session.fail(errorCode.noError, "idle");
      this.touch();
    }
  }

  /** A client that has just connected wants something; one that has been served may idle. What it has begun by then it may end. */
  get #idleLimitMs(): number {
    const { idleTimeoutMs, requestHeadTimeoutMs } = this.#context.limits;
    return (
      (this.#hasServed ? idleTimeoutMs : requestHeadTimeoutMs) + (this.session.isInHead ? requestHeadTimeoutMs : 0)
    );
  }

  #checkHead(nowMs: number): void {
    const { isInHead, completedCount } = this.session;
    if (!isInHead) this.#headSinceMs = 0;
    // Where something has ended since the last look, it was another head that was under way then.
    else if (this.#headSinceMs === 0 || completedCount !== this.#completedCount) this.#headSinceMs = nowMs;
    else if (nowMs - this.#headSinceMs >= this.#context.limits.requestHeadTimeoutMs) this.#giveUpHead();
    this.#completedCount = completedCount;
  }

  /** The proxy watches over answers until it has given us all of them. */
  #checkReader(nowMs: number): void {
    const { streamIdleTimeoutMs } = this.#context.limits;
    if (streamIdleTimeoutMs === 0) return;
    // What the proxy still watches over it has ended by then, and said so.
    const patienceMs = 2 * streamIdleTimeoutMs;
    if (this.#backedUpSinceMs !== 0 && nowMs - this.#backedUpSinceMs >= patienceMs) this.#socket.destroy();
    else if (this.session.streamCount > 0 && this.session.resetStalled(nowMs, streamIdleTimeoutMs)) this.touch();
  }

  /** The exchange holds back what came of its body until all that was read has come. */
  handOnAfterRead(exchange: OwnHttp2Exchange): void {
    this.#gathering.push(exchange);
  }

  /** There may be something to send. */
  touch(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    flushLater(this);
  }

  flush(): void {
    this.#isFlushPlanned = false;
    const output = this.session.takeOutput();
    const socket = this.#socket;
    if (output !== null && socket.writable && !writePooled(socket, output) && socket.writableLength > enoughBytes) {
      this.session.setBackedUp(true);
      if (this.#backedUpSinceMs === 0) this.#backedUpSinceMs = performance.now();
      if (socket.writableLength > maxUnsentBytes) this.#giveUpReader();
    }
    if (this.#isEnding) this.#end();
    else if (this.session.hasMoreOutput) this.touch();
    if (this.session.hasAnswered && !this.#isStopPlanned) this.#stopAnsweredSoon();
  }

  #stopAnsweredSoon(): void {
    this.#isStopPlanned = true;
    setTimeout(() => {
      this.#isStopPlanned = false;
      this.session.stopAnswered();
      this.touch();
    }, answerGraceMs).unref();
  }

  onRequest(stream: ExchangeStream, fields: readonly string[], isLast: boolean): void {
    this.#hasServed = true;
    const { handler, limits } = this.#context;
    if (fields.length > 2 * (limits.maxHeaderCount + pseudoHeaderCount)) return this.#refuse(stream, "head_too_large");
    const request = readHttp2Head(fields, isLast, limits.maxHeadBytes);
    if (typeof request === "string") return this.#refuse(stream, request);
    const exchange = new OwnHttp2Exchange({ connection: this, stream, handler, downstream: this.#downstream, request });
    stream.owner = exchange;
    exchange.closesConnection = this.#isDraining;
    exchange.begin();
  }

  onHeadTooLarge(stream: ExchangeStream): void {
    this.#hasServed = true;
    this.#refuse(stream, "head_too_large");
  }

  onData(stream: ExchangeStream, chunk: Buffer): void {
    if (stream.owner === null) this.session.release(stream);
    else stream.owner.receiveData(chunk);
  }

  onEnd(stream: ExchangeStream, trailers: readonly string[]): void {
    stream.owner?.receiveEnd(trailers);
  }

  onReset(stream: ExchangeStream): void {
    stream.owner?.closed();
  }

  onWritable(stream: ExchangeStream): void {
    stream.owner?.drained();
  }

  onFull(): void {
    if (!this.#isReading && !this.#isEnding) this.flush();
  }

  onFault({ code }: ConnectionFault): void {
    if (code === errorCode.enhanceYourCalm) {
      this.#context.observer.onRequestRefused(this.#downstream.listener, "http2_flood");
    }
    this.#isEnding = true;
    this.touch();
  }

  onDrained(): void {
    this.#isEnding = true;
    this.touch();
  }

  #onBytes(chunk: Buffer): void {
    this.#isReading = true;
    this.session.receive(chunk);
    this.#isReading = false;
    if (this.#gathering.length > 0) this.#handOnGathered();
    this.touch();
  }

  #handOnGathered(): void {
    const exchanges = this.#gathering;
    this.#gathering = [];
    for (const exchange of exchanges) exchange.endRead();
  }

  #onDrain(): void {
    this.#backedUpSinceMs = 0;
    this.session.setBackedUp(false);
    this.touch();
  }

  #refuse(stream: ExchangeStream, failure: FailureCode): void {
    this.#context.observer.onRequestRefused(this.#downstream.listener, failure);
    const fields = ["server", "sluice", "date", httpDate(), "content-length", "0"];
    this.session.sendHead(stream, { status: failures[failure].status, fields, isLast: true });
    this.touch();
  }

  /** It asks and does not read: what it is owed would grow for as long as it likes. */
  #giveUpReader(): void {
    if (!this.#hasEnded) this.#context.observer.onRequestRefused(this.#downstream.listener, "http2_flood");
    this.#hasEnded = true;
    this.#socket.destroy();
  }

  /** Between the frames of a head no other frame may come: nothing more can be read from this client. */
  #giveUpHead(): void {
    if (this.#isHeadGivenUp) return;
    this.#isHeadGivenUp = true;
    this.#context.observer.onRequestRefused(this.#downstream.listener, "head_timeout");
    this.session.stopReading();
    this.touch();
  }

  #end(): void {
    this.#isEnding = false;
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.session.closeAll();
    sayFarewell(this.#socket);
  }
}
