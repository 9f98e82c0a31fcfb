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
import { isResetByUs, NodeH2Exchange } from "./http2-exchange.ts";
import { readHttp2Head } from "./http2-head.ts";
import { MinuteCount } from "./minute-count.ts";
import type { ListenerState } from "./listener-state.ts";

/** Frames that break the protocol, and streams opened beyond the limit, before the connection is given up. */
const maxInvalidFrames = 100;
const maxRejectedStreams = 100;
/** What a session may use beside what the client sent ahead: heads, queued frames. Beyond it new streams are refused. */
const baseMemoryMegabytes = 10;
/** Streams handed on at once, in multiples of those a client may have open: some have ended and are not yet known to have. */
const openStreamsFactor = 2;
/** The fewest header pairs nghttp2 may be told to take: the pseudo headers. */
const pseudoHeaderCount = 4;

export interface Http2ConnectionSource {
  readonly socket: Socket;
  readonly downstream: Downstream;
  readonly state: ListenerState;
}

export class Http2Connection implements HttpConnection {
  readonly #session: ServerHttp2Session;
  readonly #downstream: Downstream;
  readonly #context: EngineContext;
  #isDraining: boolean;
  #openStreams = 0;
  readonly #resets: MinuteCount;
  readonly #controlFrames: MinuteCount;
  #isGivenUp = false;

  constructor({ socket, downstream, state }: Http2ConnectionSource) {
    this.#downstream = downstream;
    this.#context = state.context;
    this.#isDraining = state.isDraining;
    const session = performServerHandshake(socket, sessionOptions(state.context.limits));
    this.#session = session;
    const now = performance.now();
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
    session.on("timeout", () => this.#onTimeout());
    session.setTimeout(state.context.limits.idleTimeoutMs);
  }

  drain(): void {
    this.#isDraining = true;
    // GOAWAY; the session ends with its last stream, at once when there is none.
    this.#session.close();
  }

  #receive(stream: ServerHttp2Stream, flags: number, rawHeaders: readonly string[]): void {
    const { handler, observer, limits } = this.#context;
    this.#openStreams++;
    stream.on("error", ignoreError);
    (stream as EventEmitter).on("priority", () => this.#countControlFrame());
    stream.once("close", () => {
      this.#openStreams--;
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR && !isResetByUs(stream)) this.#countReset();
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
    const exchange = new NodeH2Exchange({ handler, downstream: this.#downstream, request, stream });
    exchange.closesConnection = this.#isDraining;
    exchange.begin();
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
    if (this.#openStreams === 0) this.#session.close();
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

function refuse(stream: ServerHttp2Stream, failure: FailureCode): void {
  if (stream.destroyed || stream.closed) return;
  const headers = { ":status": failures[failure].status, server: "sluice", date: httpDate(), "content-length": "0" };
  stream.respond(headers, { endStream: true });
  // What the client still sends is not wanted.
  stream.resume();
  stream.close(constants.NGHTTP2_NO_ERROR);
}

function ignoreError(): void {
  // Followed by close.
}
