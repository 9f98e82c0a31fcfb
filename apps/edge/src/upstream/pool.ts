// The connections to one endpoint: which of them takes a request, how many there may be, when an idle one goes.
import { isIPv6, type Socket } from "node:net";
import type { UpstreamHandler, UpstreamStream } from "../exchange/upstream-handler.ts";
import type { ClusterCounters } from "./cluster-counters.ts";
import { type ConnectionOwner, Http1Connection } from "./connection.ts";
import { Http1Stream, type StreamOwner } from "./http1-stream.ts";
import type { IdleClock, IdleHolder } from "./idle-clock.ts";
import { openRawConnection, type RawConnectEvents } from "./raw-connection.ts";
import type { UpstreamRequest } from "./send-request.ts";

export interface PoolLimits {
  /** Connections to one endpoint, in use and idle. */
  readonly maxConnections: number;
  /** Requests that may wait for a connection once `maxConnections` is reached; one more fails with `upstream_overflow`. */
  readonly maxPendingRequests: number;
  readonly maxIdleConnections: number;
  /** Below the keep-alive timeout of common servers matters more than its length: who closes first wins the race. */
  readonly idleTimeoutMs: number;
}

export const defaultPoolLimits: PoolLimits = {
  maxConnections: Infinity,
  maxPendingRequests: 1024,
  maxIdleConnections: 1024,
  idleTimeoutMs: 60_000,
};

export interface PoolOptions {
  readonly host: string;
  readonly port: number;
  readonly connectTimeoutMs: number;
  readonly limits: PoolLimits;
  readonly counters: ClusterCounters;
  readonly clock: IdleClock;
}

function failOverflow(stream: Http1Stream): void {
  stream.fail("upstream_overflow", "");
}

export class EndpointPool implements ConnectionOwner, StreamOwner, IdleHolder {
  /** `127.0.0.1:8000`, `[::1]:8000`. */
  readonly address: string;
  /** Requests under way and waiting: what the balancer compares. */
  activeRequests: number;
  /** Relative share of requests; kept up to date by the cluster. */
  weight: number;
  connectTimeoutMs: number;
  private readonly host: string;
  private readonly port: number;
  private readonly limits: PoolLimits;
  private readonly counters: ClusterCounters;
  private readonly clock: IdleClock;
  /** A stack: the connection used last is used next, so that surplus ones age at the bottom and time out. */
  private readonly idle: Http1Connection[];
  private readonly pending: Http1Stream[];
  private openConnections: number;
  private isRetired: boolean;
  private isWatched: boolean;

  constructor(options: PoolOptions) {
    this.host = options.host;
    this.port = options.port;
    this.address = isIPv6(options.host) ? `[${options.host}]:${options.port}` : `${options.host}:${options.port}`;
    this.activeRequests = 0;
    this.weight = 1;
    this.connectTimeoutMs = options.connectTimeoutMs;
    this.limits = options.limits;
    this.counters = options.counters;
    this.clock = options.clock;
    this.idle = [];
    this.pending = [];
    this.openConnections = 0;
    this.isRetired = false;
    this.isWatched = false;
  }

  /** See `sendRequest`. */
  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamStream {
    const stream = new Http1Stream(this, request, handler);
    this.activeRequests++;
    this.counters.activeRequests++;
    const connection = this.takeIdle();
    if (connection === null) {
      this.sendFresh(stream);
    } else {
      this.counters.reuseTotal++;
      connection.carry(stream);
    }
    return stream;
  }

  /** A connection of its own for raw bytes; one that is open outlives the pool. */
  openRaw(keepaliveMs: number | null, events: RawConnectEvents): Socket {
    const { host, port, connectTimeoutMs, counters } = this;
    return openRawConnection({ host, port, connectTimeoutMs, keepaliveMs, counters, load: this }, events);
  }

  /** Ends the pool: idle connections close now, the others with their request. */
  retire(): void {
    this.isRetired = true;
    for (const connection of this.idle.slice()) connection.close();
  }

  onConnectionIdle(connection: Http1Connection): void {
    const next = this.takePending();
    if (next !== null) {
      this.counters.reuseTotal++;
      connection.carry(next);
    } else if (this.isRetired || this.idle.length >= this.limits.maxIdleConnections) {
      connection.close();
    } else {
      this.keepIdle(connection);
    }
  }

  onConnectionClosed(connection: Http1Connection): void {
    this.openConnections--;
    this.counters.openConnections--;
    const index = this.idle.indexOf(connection);
    if (index >= 0) {
      this.idle.splice(index, 1);
      this.counters.idleConnections--;
    }
    const next = this.takePending();
    if (next !== null) this.openFor(next);
  }

  onConnectFailure(): void {
    this.counters.connectFailureTotal++;
  }

  resend(stream: Http1Stream): void {
    this.counters.resendTotal++;
    this.sendFresh(stream);
  }

  onStreamDone(): void {
    this.activeRequests--;
    this.counters.activeRequests--;
  }

  cancel(stream: Http1Stream): void {
    const index = this.pending.indexOf(stream);
    if (index < 0) return;
    this.pending.splice(index, 1);
    this.counters.pendingRequests--;
  }

  closeIdle(nowMs: number): boolean {
    const { idleTimeoutMs } = this.limits;
    for (let oldest = this.idle[0]; oldest !== undefined; oldest = this.idle[0]) {
      if (nowMs - oldest.idleSinceMs < idleTimeoutMs) break;
      oldest.close();
    }
    this.isWatched = this.idle.length > 0;
    return this.isWatched;
  }

  /** Never an idle connection: where one has just died, the others are likely dead too. */
  private sendFresh(stream: Http1Stream): void {
    if (this.openConnections < this.limits.maxConnections) {
      this.openFor(stream);
    } else if (this.pending.length < this.limits.maxPendingRequests) {
      this.pending.push(stream);
      this.counters.pendingRequests++;
    } else {
      process.nextTick(failOverflow, stream);
    }
  }

  private openFor(stream: Http1Stream): void {
    this.openConnections++;
    this.counters.openConnections++;
    this.counters.connectTotal++;
    const { host, port, connectTimeoutMs } = this;
    new Http1Connection(this, { host, port, connectTimeoutMs }).carry(stream);
  }

  private takeIdle(): Http1Connection | null {
    for (let connection = this.idle.pop(); connection !== undefined; connection = this.idle.pop()) {
      this.counters.idleConnections--;
      if (connection.isUsable) return connection;
      connection.close();
    }
    return null;
  }

  private keepIdle(connection: Http1Connection): void {
    if (!this.isWatched) {
      this.isWatched = true;
      this.clock.watch(this);
    }
    connection.idleSinceMs = this.clock.nowMs;
    this.idle.push(connection);
    this.counters.idleConnections++;
  }

  private takePending(): Http1Stream | null {
    const stream = this.pending.shift();
    if (stream === undefined) return null;
    this.counters.pendingRequests--;
    return stream;
  }
}
