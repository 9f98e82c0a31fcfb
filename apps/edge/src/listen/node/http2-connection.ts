// HTTP/2 on one TLS socket, through node:http2: streams become exchanges.
import type { ServerHttp2Session, ServerHttp2Stream, ServerOptions } from "node:http2";
import { constants, performServerHandshake } from "node:http2";
import type { Socket } from "node:net";
import type { Downstream } from "../../exchange/downstream.ts";
import type { FailureCode } from "../../exchange/failure.ts";
import { failures } from "../../exchange/failure.ts";
import type { DownstreamLimits, EngineContext } from "../listener.ts";
import type { HttpConnection } from "./connection.ts";
import { httpDate } from "./http-date.ts";
import { NodeH2Exchange } from "./http2-exchange.ts";
import { readHttp2Head } from "./http2-head.ts";
import type { ListenerState } from "./listener-state.ts";

/** What a client may send ahead of our reading: per stream, and over all streams of a connection (Istio's edge profile). */
const streamWindowBytes = 64 * 1024;
const connectionWindowBytes = 1024 * 1024;
/** Frames that break the protocol, and streams opened beyond the limit, before the connection is given up. */
const maxInvalidFrames = 100;
const maxRejectedStreams = 100;
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

  constructor({ socket, downstream, state }: Http2ConnectionSource) {
    this.#downstream = downstream;
    this.#context = state.context;
    this.#isDraining = state.isDraining;
    const session = performServerHandshake(socket, sessionOptions(state.context.limits));
    this.#session = session;
    session.setLocalWindowSize(connectionWindowBytes);
    session.on("error", ignoreError);
    session.on(
      "stream",
      (stream: ServerHttp2Stream, _headers: unknown, flags: number, rawHeaders: readonly string[]) => {
        this.#receive(stream, flags, rawHeaders);
      },
    );
    session.on("timeout", () => this.#onTimeout());
    session.setTimeout(state.context.limits.idleTimeoutMs);
  }

  drain(): void {
    this.#isDraining = true;
    // GOAWAY; the session ends with its last stream, at once when there is none.
    this.#session.close();
  }

  #receive(stream: ServerHttp2Stream, flags: number, rawHeaders: readonly string[]): void {
    const { handler, observer } = this.#context;
    this.#openStreams++;
    stream.on("error", ignoreError);
    stream.once("close", () => this.#openStreams--);
    const request = readHttp2Head(rawHeaders, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
    if (typeof request === "string") {
      observer.onRequestRefused(this.#downstream.listener, request);
      refuse(stream, request);
      return;
    }
    const exchange = new NodeH2Exchange({ handler, downstream: this.#downstream, request, stream });
    exchange.closesConnection = this.#isDraining;
    exchange.begin();
  }

  /** Node calls this when nothing moved, also while a response is awaited; only then the connection is not idle. */
  #onTimeout(): void {
    if (this.#openStreams === 0) this.#session.close();
  }
}

function sessionOptions(limits: DownstreamLimits): ServerOptions {
  return {
    maxHeaderListPairs: limits.maxHeaderCount + pseudoHeaderCount,
    maxSessionInvalidFrames: maxInvalidFrames,
    maxSessionRejectedStreams: maxRejectedStreams,
    settings: {
      maxConcurrentStreams: limits.maxConcurrentStreams,
      maxHeaderListSize: limits.maxHeadBytes,
      initialWindowSize: streamWindowBytes,
      enableConnectProtocol: false,
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
