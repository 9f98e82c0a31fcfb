// One request and its response. The engines (listen/uws, listen/node) subclass it with the few calls that write to a client;
// everything else works on this class and does not know which engine it is. Every field is set in the constructor and none is
// added later, so that V8 keeps one hidden class for all requests of an engine.
// Imported where every request asks: as a global it is a getter, and slower.
import { performance } from "node:perf_hooks";
import { normalizeAuthority } from "@sluice/core/model";
import type { Downstream } from "./downstream.ts";
import type { FailureCode } from "./failure.ts";
import type { ForwardedExchange } from "./forwarded-exchange.ts";
import { pieceSize, type PieceSize } from "./piece-size.ts";
import type { UpstreamHandler, UpstreamStream } from "./upstream-handler.ts";

export type HttpVersion = "HTTP/1.0" | "HTTP/1.1" | "HTTP/2";

/** The request head as an engine read it, already checked to be one unambiguous request. */
export interface RequestHead {
  readonly method: string;
  /** Origin form, as sent: `/path?query`. */
  readonly target: string;
  /** Host or `:authority`, as sent: a name or an address with or without a port (codec/authority.ts). It goes upstream as it is. */
  readonly authority: string;
  readonly protocol: HttpVersion;
  /** Flat (name, value, ...), names in lower case, in the order sent, without `host` and pseudo headers. */
  readonly headers: string[];
  /** Bytes announced by Content-Length, 0 when there is no body, -1 when only its end tells (chunked, h2 without length). */
  readonly bodyLength: number;
  /**
   * Protocol the client wants to switch to (`websocket`: Upgrade on HTTP/1.1, extended CONNECT on HTTP/2), else null. Once the upstream has
   * answered 101, request and response data are raw bytes of that protocol in both directions; before, there are none. `bodyLength` is 0,
   * but the request is complete only when the client has ended its side.
   */
  readonly upgrade: string | null;
}

/** For where there are none. */
export const noTrailers: readonly string[] = [];

/** What the proxy does with an exchange; the engines call it. One object serves every exchange. */
export interface ExchangeHandler {
  /** The head has arrived. */
  onRequest(exchange: Exchange): void;
  /** A piece of the body. The chunk is only valid during the call. */
  onRequestData(exchange: Exchange, chunk: Uint8Array): void;
  /** `trailers`: flat, names in lower case; empty when there are none. */
  onRequestEnd(exchange: Exchange, trailers: readonly string[]): void;
  /** After `sendData` returned false: the client takes more again. */
  onDownstreamDrain(exchange: Exchange): void;
  /** The client is gone (or reset the stream) before the response was complete. No `send` may follow. */
  onDownstreamAborted(exchange: Exchange): void;

  onUpstreamInformational(exchange: Exchange, status: number, headers: readonly string[]): void;
  onUpstreamHead(exchange: Exchange, status: number, headers: string[], bodyLength: number): void;
  onUpstreamData(exchange: Exchange, chunk: Uint8Array): void;
  onUpstreamHalfEnd(exchange: Exchange): void;
  onUpstreamEnd(exchange: Exchange, trailers: readonly string[]): void;
  onUpstreamFlush(exchange: Exchange): void;
  onUpstreamError(exchange: Exchange, failure: FailureCode): void;
  onUpstreamDrain(exchange: Exchange): void;
}

/** What an exchange's route is called in logs and metrics, and who counts it. */
export interface RouteSelection {
  /** `a.example:80`, as in `pc route`; empty when no virtual host was found. */
  readonly virtualHost: string;
  /** Name of the route, or `<namespace>/<virtual service>/http[0].match[1]`; empty when none matched. */
  readonly routeName: string;
  readonly recorder: ExchangeRecorder;
}

export interface ExchangeRecorder {
  record(exchange: Exchange): void;
}

export abstract class Exchange implements UpstreamHandler {
  readonly handler: ExchangeHandler;
  readonly downstream: Downstream;

  readonly method: string;
  readonly target: string;
  readonly authority: string;
  /** The authority as routing compares it. */
  readonly host: string;
  readonly protocol: HttpVersion;
  readonly scheme: "http" | "https";
  readonly headers: string[];
  readonly bodyLength: number;
  readonly upgrade: string | null;
  /** Path without query, and query without `?`; the path is normalised by the proxy before matching. */
  path: string;
  query: string;

  /** Milliseconds since the epoch when the head had arrived. */
  readonly startedAtMs: number;
  /** Monotonic milliseconds when the head had arrived. */
  readonly startedAt: number;
  bytesReceived: number;
  bytesSent: number;
  /** Status sent, 0 before. */
  status: number;
  failure: FailureCode | null;
  /** What else the log says of it besides `failure`: a sum of `exchangeFlags`. */
  flags: number;
  /** Envoy's response code details where neither `failure` nor the upstream tells them; empty otherwise. */
  responseDetails: string;
  requestId: string;
  isRequestComplete: boolean;
  isResponseStarted: boolean;
  /** The exchange is over: nothing may be sent and no event follows. */
  isDone: boolean;
  /** Set before the response's head is sent: the connection closes after this response (h2: GOAWAY). */
  closesConnection: boolean;

  upstream: UpstreamStream | null;
  /** Who takes the request's body and decides about another attempt; null before the request is forwarded, and where it never is. */
  forwarding: ForwardedExchange | null;
  selection: RouteSelection | null;
  /** Name of the cluster the request was sent to, empty before. */
  cluster: string;
  /** Monotonic milliseconds of the request's departure, and of the response head's arrival; 0 before. */
  upstreamStartedAt: number;
  upstreamRespondedAt: number;
  /** Its place among the exchanges under way; -1 when it is not one of them. */
  activeIndex: number;
  /** Seconds of the coarse clock at the last byte in either direction. */
  lastActivity: number;
  /** Value of a `set-cookie` header that the response gets: an endpoint was chosen by a cookie that the client did not have yet. Empty: none. */
  setCookie: string;
  /** Flat headers that the response gets whoever makes it, in place of those of the same names; null: none. */
  responseOverrides: readonly string[] | null;
  /** Runs out when the whole exchange may take no longer; null without such a limit. */
  deadline: NodeJS.Timeout | null;

  constructor(handler: ExchangeHandler, downstream: Downstream, head: RequestHead) {
    this.handler = handler;
    this.downstream = downstream;
    this.method = head.method;
    this.target = head.target;
    this.authority = head.authority;
    this.host = normalizeAuthority(head.authority);
    this.protocol = head.protocol;
    this.scheme = downstream.scheme;
    this.headers = head.headers;
    this.bodyLength = head.bodyLength;
    this.upgrade = head.upgrade;
    const question = head.target.indexOf("?");
    this.path = question < 0 ? head.target : head.target.slice(0, question);
    this.query = question < 0 ? "" : head.target.slice(question + 1);
    this.startedAtMs = Date.now();
    this.startedAt = performance.now();
    this.bytesReceived = 0;
    this.bytesSent = 0;
    this.status = 0;
    this.failure = null;
    this.flags = 0;
    this.responseDetails = "";
    this.requestId = "";
    this.isRequestComplete = head.bodyLength === 0 && head.upgrade === null;
    this.isResponseStarted = false;
    this.isDone = false;
    this.closesConnection = false;
    this.upstream = null;
    this.forwarding = null;
    this.selection = null;
    this.cluster = "";
    this.upstreamStartedAt = 0;
    this.upstreamRespondedAt = 0;
    this.activeIndex = -1;
    this.lastActivity = 0;
    this.setCookie = "";
    this.responseOverrides = null;
    this.deadline = null;
  }

  get pieceSize(): PieceSize {
    return pieceSize.small;
  }

  /** Value of a header by its lower-case name; repeated headers joined by `,`; null when absent. */
  header(name: string): string | null {
    const { headers } = this;
    let value: string | null = null;
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i] !== name) continue;
      const next = headers[i + 1] ?? "";
      value = value === null ? next : `${value},${next}`;
    }
    return value;
  }

  /** An interim response (1xx). Engines that cannot send one leave it out. */
  abstract sendInformational(status: number, headers: readonly string[]): void;
  /**
   * The response's head. `headers` is flat, names in lower case, without framing and connection headers: the engine adds those.
   * `bodyLength` as in `UpstreamHandler.onUpstreamHead`. `HEAD`, 204 and 304 never have a body: the announced length is only
   * reported. The engine may hold the head back until the first of `sendData`, `sendEnd` and `flush`, so that head and body
   * leave in one write.
   */
  abstract sendHead(status: number, headers: readonly string[], bodyLength: number): void;
  /** A piece of the body, used up before the call returns. False: stop until `onDownstreamDrain`. */
  abstract sendData(chunk: Uint8Array): boolean;
  /**
   * The response is complete. Called exactly once after `sendHead`, whether there was a body or not. Trailers are flat, names in lower
   * case; an engine or a framing that cannot carry them leaves them out.
   */
  abstract sendEnd(trailers?: readonly string[]): void;
  /**
   * In a tunnel: ends the half towards the client, who may go on sending; `sendEnd` follows when that has ended, too. False, and nothing done, where
   * the engine cannot end one half alone.
   */
  sendHalfEnd(): boolean {
    return false;
  }
  /** Nothing more comes for now: whatever is held back goes out. */
  abstract flush(): void;
  /** Ends it so that the client cannot take what it got for a complete response: h1 closes the connection, h2 resets the stream. */
  abstract reset(): void;
  /** Stop and go on reading the request's body. */
  abstract pauseBody(): void;
  abstract resumeBody(): void;

  onUpstreamInformational(status: number, headers: readonly string[]): void {
    this.handler.onUpstreamInformational(this, status, headers);
  }

  onUpstreamHead(status: number, headers: string[], bodyLength: number): void {
    this.handler.onUpstreamHead(this, status, headers, bodyLength);
  }

  onUpstreamData(chunk: Uint8Array): void {
    this.handler.onUpstreamData(this, chunk);
  }

  onUpstreamHalfEnd(): void {
    this.handler.onUpstreamHalfEnd(this);
  }

  onUpstreamEnd(trailers: readonly string[]): void {
    this.handler.onUpstreamEnd(this, trailers);
  }

  onUpstreamFlush(): void {
    this.handler.onUpstreamFlush(this);
  }

  onUpstreamError(failure: FailureCode): void {
    this.handler.onUpstreamError(this, failure);
  }

  onUpstreamDrain(): void {
    this.handler.onUpstreamDrain(this);
  }
}
