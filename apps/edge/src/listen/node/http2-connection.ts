// HTTP/2 on one socket, through node:http2: streams become exchanges.
//
// Against floods: node:http2 and nghttp2 bound the memory of a session, the CONTINUATION frames of a head (8), acknowledgements that
// wait for a client that does not read (1000 SETTINGS and PING), empty DATA and other frames that break the protocol, and streams
// beyond the limit. Counted here is what is legal one by one: streams that end in a reset, be it the client's (rapid reset,
// CVE-2023-44487) or one it provoked (made you reset, CVE-2025-8671), and SETTINGS and PRIORITY frames.
import type { EventEmitter } from "node:events";
import type { ServerHttp2Session, ServerHttp2Stream, ServerOptions } from "node:http2";
import { constants, performServerHandshake } from "node:http2";
import type { Socket } from "node:net";
import type { Downstream } from "../../exchange/downstream.ts";
import type { FailureCode } from "../../exchange/failure.ts";
import { failures } from "../../exchange/failure.ts";
import type { DownstreamLimits, EngineContext } from "../listener.ts";
import type { HttpConnection } from "./connection.ts";
import { httpDate } from "../http-date.ts";
import { ByteBalance } from "../../codec/http2/byte-balance.ts";
import { isRequestComplete, isResetByUs, NodeH2Exchange, stopRequestSoon, type Usefulness } from "./http2-exchange.ts";
import { readHttp2Head } from "./http2-head.ts";
import { MinuteCount } from "../../codec/http2/minute-count.ts";
import type { ListenerState } from "./listener-state.ts";
import type { Tickable } from "./ticker.ts";

/** Frames that break the protocol, and streams opened beyond the limit, before the connection is given up. */
const maxInvalidFrames = 100;
const maxRejectedStreams = 100;
/** What a session may use beside what the client sent ahead: heads, queued frames. Beyond it new streams are refused. */
const baseMemoryMegabytes = 10;
/** Streams handed on at once, in multiples of those a client may have open: some have ended and are not yet known to have. */
const openStreamsFactor = 2;
/** PING and its acknowledgement. */
const pingBytes = 17;
/** A client that has been told goodbye may still read what it was sent; one that does not move for this long is closed. */
const farewellMs = 10_000;
/** The fewest header pairs nghttp2 may be told to take: the pseudo headers. */
const pseudoHeaderCount = 4;

export interface Http2ConnectionSource {
  readonly socket: Socket;
  readonly downstream: Downstream;
  readonly state: ListenerState;
}

export class Http2Connection implements HttpConnection, Tickable {
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #downstream: Downstream;
  readonly #context: EngineContext;
  #isDraining: boolean;
  #openStreams = 0;
  readonly #resets: MinuteCount;
  readonly #controlFrames: MinuteCount;
  #isGivenUp = false;
  readonly #balance: ByteBalance;
  readonly #usefulness: Usefulness = { bytes: 0 };
  #seenReadBytes = 0;
  #seenWrittenBytes: number;
  /** The last stream whose head has arrived here, and a later one that nghttp2 knows of, with the time when it was first seen. */
  #lastStreamId = 0;
  #unfinishedStreamId = 0;
  #unfinishedSinceMs = 0;

  constructor({ socket, downstream, state }: Http2ConnectionSource) {
    this.#socket = socket;
    this.#downstream = downstream;
    this.#context = state.context;
    this.#isDraining = state.isDraining;
    const session = performServerHandshake(socket, sessionOptions(state.context.limits));
    this.#session = session;
    this.#seenWrittenBytes = socket.bytesWritten;
    const now = performance.now();
    const { maxControlFramesPerMinute: freeFramesPerMinute, connectionBufferBytes } = state.context.limits;
    this.#balance = new ByteBalance({ freeFramesPerMinute, maxSavedBytes: connectionBufferBytes }, now);
    this.#resets = new MinuteCount(now);
    this.#controlFrames = new MinuteCount(now);
    session.setLocalWindowSize(state.context.limits.connectionBufferBytes);
    session.on("error", ignoreError);
    session.on(
      "stream",
      (stream: ServerHttp2Stream, _headers: unknown, flags: number, rawHeaders: readonly string[]) => {
        this.#receive(stream, flags, rawHeaders);
      },
    );
    const onControlFrame = (): void => this.#countControlFrame();
    session.on("remoteSettings", onControlFrame);
    // Of streams that are not open; those of open ones are told there.
    (session as EventEmitter).on("priority", onControlFrame);
    // Its acknowledgement was written, but is of no use to anyone.
    session.on("ping", () => (this.#usefulness.bytes -= pingBytes));
    session.on("timeout", () => this.#onTimeout());
    session.setTimeout(state.context.limits.idleTimeoutMs);
    state.ticker.add(this);
    session.once("close", () => {
      state.ticker.delete(this);
      // An orderly end waits for the client's, which need not come.
      socket.setTimeout(farewellMs, () => socket.destroy());
    });
  }

  /** Looks at what node:http2 has no event for. */
  tick(nowMs: number): void {
    const { bytesRead, bytesWritten } = this.#socket;
    const hasRead = bytesRead !== this.#seenReadBytes;
    if (hasRead || this.#unfinishedStreamId > this.#lastStreamId) this.#watchHead(nowMs);
    const useful = this.#usefulness.bytes + bytesWritten - this.#seenWrittenBytes;
    const isBalanced = this.#balance.settle(bytesRead - this.#seenReadBytes, useful, nowMs);
    this.#usefulness.bytes = 0;
    this.#seenReadBytes = bytesRead;
    this.#seenWrittenBytes = bytesWritten;
    if (!isBalanced) this.#giveUp();
  }

  /** A stream that nghttp2 has seen and nobody here has: its head is not complete, or was refused below and the stream reset. */
  #watchHead(nowMs: number): void {
    const { lastProcStreamID = 0 } = this.#session.state;
    if (lastProcStreamID <= this.#lastStreamId) return;
    const { limits, observer } = this.#context;
    if (lastProcStreamID !== this.#unfinishedStreamId) {
      this.#unfinishedStreamId = lastProcStreamID;
      this.#unfinishedSinceMs = nowMs;
      // Not for nothing yet.
      this.#usefulness.bytes += limits.maxHeadBytes;
    } else if (nowMs - this.#unfinishedSinceMs >= limits.requestHeadTimeoutMs) {
      if (!this.#session.closed) observer.onRequestRefused(this.#downstream.listener, "head_timeout");
      this.#close();
    }
  }

  drain(): void {
    this.#isDraining = true;
    this.#close();
  }

  #receive(stream: ServerHttp2Stream, flags: number, rawHeaders: readonly string[]): void {
    const { handler, observer, limits } = this.#context;
    this.#openStreams++;
    this.#lastStreamId = stream.id ?? 0;
    this.#usefulness.bytes += lengthOf(rawHeaders);
    stream.on("error", ignoreError);
    (stream as EventEmitter).on("priority", () => this.#countControlFrame());
    stream.once("close", () => {
      this.#openStreams--;
      // What the client had sent of its body by then is dropped unseen. Not `readableEnded`: closing a stream ends it as well.
      if (!isRequestComplete(stream)) this.#usefulness.bytes += limits.streamBufferBytes;
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR && !isResetByUs(stream)) this.#countReset();
      this.#endUnfinished();
    });
    // Streams that one read opens and resets are still open here: their ends are told after it. Without this a flood would be
    // forwarded in whole before its first reset is counted.
    if (this.#isGivenUp || this.#openStreams > openStreamsFactor * limits.maxConcurrentStreams) {
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    const request = readHttp2Head(rawHeaders, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0, limits.maxHeadBytes);
    if (typeof request === "string") {
      observer.onRequestRefused(this.#downstream.listener, request);
      refuse(stream, request);
      return;
    }
    const exchange = new NodeH2Exchange({
      handler,
      downstream: this.#downstream,
      request,
      stream,
      usefulness: this.#usefulness,
    });
    exchange.closesConnection = this.#isDraining;
    exchange.begin();
  }

  /** GOAWAY; the session ends with its last stream, at once when there is none. */
  #close(): void {
    if (!this.#session.closed) this.#session.close();
    this.#endUnfinished();
  }

  /** nghttp2 would wait for the rest of a head as well. */
  #endUnfinished(): void {
    const { closed, destroyed, state } = this.#session;
    if (destroyed || !closed || this.#openStreams > 0) return;
    if ((state.lastProcStreamID ?? 0) > this.#lastStreamId) this.#session.destroy();
  }

  #countReset(): void {
    if (this.#resets.add(performance.now()) > this.#context.limits.maxResetStreamsPerMinute) this.#giveUp();
  }

  #countControlFrame(): void {
    if (this.#controlFrames.add(performance.now()) > this.#context.limits.maxControlFramesPerMinute) this.#giveUp();
  }

  /** All that is under way on this connection ends with it: a flood hides behind honest streams as well. */
  #giveUp(): void {
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    this.#context.observer.onRequestRefused(this.#downstream.listener, "http2_flood");
    this.#session.destroy(new Error("flood"), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Node calls this when nothing moved, also while a response is awaited; only then the connection is not idle. */
  #onTimeout(): void {
    if (this.#openStreams === 0) this.#close();
  }
}

function sessionOptions(limits: DownstreamLimits): ServerOptions {
  return {
    maxHeaderListPairs: limits.maxHeaderCount + pseudoHeaderCount,
    maxSessionMemory: baseMemoryMegabytes + Math.ceil(limits.connectionBufferBytes / 1e6),
    maxSessionInvalidFrames: maxInvalidFrames,
    maxSessionRejectedStreams: maxRejectedStreams,
    settings: {
      maxConcurrentStreams: limits.maxConcurrentStreams,
      maxHeaderListSize: limits.maxHeadBytes,
      initialWindowSize: limits.streamBufferBytes,
      enableConnectProtocol: true,
    },
  };
}

/** Of names and values, as good as what they took on the wire. */
function lengthOf(fields: readonly string[]): number {
  let length = 0;
  for (const text of fields) length += text.length;
  return length;
}

function refuse(stream: ServerHttp2Stream, failure: FailureCode): void {
  if (stream.destroyed || stream.closed) return;
  const headers = { ":status": failures[failure].status, server: "sluice", date: httpDate(), "content-length": "0" };
  stream.respond(headers, { endStream: true });
  // What the client still sends is not wanted.
  stream.resume();
  stopRequestSoon(stream);
}

function ignoreError(): void {
  // Followed by close.
}
