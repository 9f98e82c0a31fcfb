// One HTTP/2 connection to an endpoint. It owns the session: when it is ready for requests, how many it takes, when it takes no more.
import { connect, type ClientHttp2Session, type Settings } from "node:http2";
import type { Socket } from "node:net";
import type { FailureCode } from "../exchange/failure.ts";
import { type CarrierOwner, Http2Carrier } from "./http2-carrier.ts";
import { toHttp2Headers } from "./http2-headers.ts";
import { Http2Keepalive } from "./http2-keepalive.ts";
import { type ConnectTarget, localAddressOf, openPlain, openSecure } from "./open-socket.ts";
import type { PoolLimits } from "./pool-limits.ts";
import type { RequestStream } from "./request-stream.ts";

/** The lane, as its connections see it. */
export interface Http2ConnectionOwner {
  /** It takes (more) requests now. */
  onRoom(connection: Http2Connection): void;
  /** Its last request is over. */
  onIdle(connection: Http2Connection): void;
  /** Called once; it carries nothing any more. `failure`: it never became ready. */
  onClosed(connection: Http2Connection, failure: FailureCode | null, detail: string): void;
  resend(stream: RequestStream): void;
}

/** What a stream may have under way towards us before it waits for the reader: the bound of what a slow client makes us hold. */
const streamWindowBytes = 256 * 1024;
/** node:http2 opens it again as data arrives, read or not, so that one slow reader does not stall the others. */
const connectionWindowBytes = 4 * 1024 * 1024;
/** Odd numbers below 2^31; then a connection has to be replaced (RFC 9113, 5.1.1). */
const maxStreamIds = 2 ** 30 - 1;
const maxHeadBytes = 64 * 1024;
const maxHeaderCount = 200;

export class Http2Connection implements CarrierOwner {
  /** Clock time when it last became idle; kept by the lane. */
  idleSinceMs: number;
  isClosed: boolean;
  /** Told its limits by the upstream: requests may be sent. Waiting for that costs one round trip and spares all guesses. */
  isReady: boolean;
  readonly expiresAtMs: number;
  private readonly remoteAddress: string;
  private readonly owner: Http2ConnectionOwner;
  private readonly limits: PoolLimits;
  private readonly maxRequests: number;
  private readonly socket: Socket;
  private readonly carriers: Set<Http2Carrier>;
  private session: ClientHttp2Session | null;
  private connectTimer: NodeJS.Timeout | null;
  private keepalive: Http2Keepalive | null;
  private openedCount: number;
  private endedCount: number;
  private maxStreams: number;
  private isDraining: boolean;
  private isTcpConnected: boolean;
  /** The last stream that the upstream has taken, once it goes away. */
  private lastStreamId: number;
  private detail: string;

  constructor(owner: Http2ConnectionOwner, target: ConnectTarget, limits: PoolLimits) {
    this.idleSinceMs = 0;
    this.isClosed = false;
    this.isReady = false;
    this.expiresAtMs = performance.now() + limits.maxConnectionDurationMs;
    this.remoteAddress = target.address.name;
    this.owner = owner;
    this.limits = limits;
    this.maxRequests = Math.min(limits.maxRequestsPerConnection, maxStreamIds);
    this.carriers = new Set();
    this.session = null;
    this.keepalive = null;
    this.openedCount = 0;
    this.endedCount = 0;
    this.maxStreams = 0;
    this.isDraining = false;
    this.isTcpConnected = false;
    this.lastStreamId = Infinity;
    this.detail = "";
    this.connectTimer = setTimeout(() => this.end("connect_timeout", ""), target.connectTimeoutMs);
    this.socket = this.openSocket(target);
    this.socket.once("connect", () => (this.isTcpConnected = true));
    this.socket.on("error", (error: NodeJS.ErrnoException) => (this.detail ||= error.code ?? error.message));
    this.socket.on("close", () => this.onLost());
  }

  get activeStreams(): number {
    return this.carriers.size;
  }

  get hasServed(): boolean {
    return this.endedCount > 0;
  }

  get hasDiedOfAge(): boolean {
    return this.hasServed && (this.isClosed || this.socket.destroyed || this.session?.destroyed === true);
  }

  get hasRoom(): boolean {
    return (
      this.isReady && !this.isSpent && this.carriers.size < Math.min(this.maxStreams, this.limits.maxConcurrentStreams)
    );
  }

  /** True when it will never have room again. */
  get isSpent(): boolean {
    return (
      this.isClosed ||
      this.isDraining ||
      this.session?.closed === true ||
      this.session?.destroyed === true ||
      this.openedCount >= this.maxRequests ||
      performance.now() >= this.expiresAtMs
    );
  }

  /** Sends a stream's request. The connection must have room. */
  carry(stream: RequestStream): void {
    const { session } = this;
    const { body } = stream.request;
    const options = { endStream: body === "none", waitForTrailers: body === "chunked" };
    let carrier: Http2Carrier;
    try {
      if (session === null || (body === "upgrade" && session.remoteSettings.enableConnectProtocol !== true)) {
        throw new Error("no extended CONNECT");
      }
      carrier = new Http2Carrier(this, stream, session.request(toHttp2Headers(stream.request), options));
    } catch (error) {
      // Also what node:http2 refuses to send: a mistake in one request, nothing about the connection.
      process.nextTick(failProtocol, stream, String(error));
      if (this.carriers.size === 0) this.owner.onIdle(this);
      return;
    }
    this.openedCount++;
    this.carriers.add(carrier);
    stream.connection = carrier;
    stream.localAddress = localAddressOf(this.socket);
    stream.remoteAddress = this.remoteAddress;
    carrier.start();
  }

  /** Carries what it carries and closes. */
  drain(): void {
    this.isDraining = true;
    if (this.carriers.size === 0) this.close();
  }

  /** Closes at once; streams that it still carries are reset and hear of it. */
  close(): void {
    this.end(null, "");
  }

  hasIgnored(streamId: number): boolean {
    return streamId > this.lastStreamId;
  }

  onCarrierDone(carrier: Http2Carrier): void {
    this.carriers.delete(carrier);
    this.endedCount++;
    if (this.isClosed) return;
    if (this.carriers.size > 0) this.owner.onRoom(this);
    else if (this.isSpent) this.close();
    else this.owner.onIdle(this);
  }

  resend(stream: RequestStream): void {
    this.owner.resend(stream);
  }

  private openSocket(target: ConnectTarget): Socket {
    const { tls } = target;
    if (tls === null) {
      const socket = openPlain(target, null);
      socket.once("connect", () => this.startSession(socket));
      return socket;
    }
    const socket = openSecure(target, tls);
    socket.once("secureConnect", () => {
      const problem = tls.origination.verify(socket, tls.serverName);
      if (problem === null) this.startSession(socket);
      else this.end("upstream_tls_failure", problem);
    });
    return socket;
  }

  private startSession(socket: Socket): void {
    if (this.isClosed) return;
    const session = connect("http://upstream.invalid", {
      createConnection: () => socket,
      maxHeaderListPairs: maxHeaderCount,
      settings: { enablePush: false, initialWindowSize: streamWindowBytes, maxHeaderListSize: maxHeadBytes },
    });
    this.session = session;
    session.once("connect", () => session.setLocalWindowSize(connectionWindowBytes));
    session.on("remoteSettings", (settings) => this.onSettings(settings));
    session.on("goaway", (_code, lastStreamId) => this.onGoaway(lastStreamId));
    session.on("error", (error: NodeJS.ErrnoException) => (this.detail ||= error.code ?? error.message));
    session.on("close", () => this.onLost());
  }

  private onSettings(settings: Settings): void {
    if (this.isClosed) return;
    this.maxStreams = settings.maxConcurrentStreams ?? Infinity;
    if (!this.isReady) this.startKeepalive();
    this.isReady = true;
    this.clearConnectTimer();
    this.owner.onRoom(this);
  }

  private startKeepalive(): void {
    const { limits, session, socket } = this;
    if (limits.http2Keepalive === null || session === null) return;
    this.keepalive = new Http2Keepalive(session, socket, limits.http2Keepalive, () =>
      this.end(null, "no answer to PING"),
    );
  }

  private onGoaway(lastStreamId: number): void {
    this.lastStreamId = lastStreamId;
    this.drain();
  }

  /** Socket or session are gone. Their streams hear of it from node:http2, each with its own code. */
  private onLost(): void {
    if (this.isReady) this.end(null, "");
    else this.end(this.lossBeforeReady(), this.detail);
  }

  private lossBeforeReady(): FailureCode {
    if (!this.isTcpConnected) return "connect_failure";
    // After TCP and TLS: whatever answers there, it does not speak HTTP/2. No request has been sent.
    return this.session === null ? "upstream_tls_failure" : "upstream_protocol_error";
  }

  private end(failure: FailureCode | null, detail: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.clearConnectTimer();
    this.keepalive?.stop();
    if (this.session === null) this.socket.destroy();
    else this.session.destroy();
    this.owner.onClosed(this, failure, detail);
  }

  private clearConnectTimer(): void {
    if (this.connectTimer !== null) clearTimeout(this.connectTimer);
    this.connectTimer = null;
  }
}

function failProtocol(stream: RequestStream, detail: string): void {
  stream.refuse("upstream_protocol_error", detail);
}
