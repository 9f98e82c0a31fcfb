// The HTTP/1.1 connections of a lane: which of them takes a request, how many there may be, when an idle one goes.
import { type ConnectionOwner, Http1Connection } from "./connection.ts";
import type { IdleHolder } from "./idle-clock.ts";
import { connectTargetOf, failOverflow, type Lane, type LaneOptions, mayOpen } from "./lane.ts";
import type { RequestStream } from "./request-stream.ts";

export class Http1Lane implements Lane, ConnectionOwner, IdleHolder {
  private readonly options: LaneOptions;
  /** A stack: the connection used last is used next, so that surplus ones age at the bottom and time out. */
  private readonly idle: Http1Connection[];
  private readonly pending: RequestStream[];
  private openConnections: number;
  private isRetired: boolean;
  private isWatched: boolean;

  constructor(options: LaneOptions) {
    this.options = options;
    this.idle = [];
    this.pending = [];
    this.openConnections = 0;
    this.isRetired = false;
    this.isWatched = false;
  }

  carry(stream: RequestStream): void {
    const connection = this.takeIdle();
    if (connection === null) {
      this.sendFresh(stream);
    } else {
      this.options.counters.reuseTotal++;
      connection.carry(stream);
    }
  }

  retire(): void {
    this.isRetired = true;
    for (const connection of this.idle.slice()) connection.close();
  }

  closeOldestIdle(): boolean {
    const [oldest] = this.idle;
    oldest?.close();
    return oldest !== undefined;
  }

  onConnectionIdle(connection: Http1Connection): void {
    const { counters, transport } = this.options;
    if (connection.servedCount >= transport.limits.maxRequestsPerConnection || isExpired(connection)) {
      connection.close();
      return;
    }
    const next = this.takePending();
    if (next !== null) {
      counters.reuseTotal++;
      connection.carry(next);
    } else if (this.isRetired || this.idle.length >= transport.limits.maxIdleConnections) {
      connection.close();
    } else {
      this.keepIdle(connection);
    }
  }

  onConnectionClosed(connection: Http1Connection): void {
    this.openConnections--;
    const { counters, owner } = this.options;
    counters.openConnections--;
    const index = this.idle.indexOf(connection);
    if (index >= 0) {
      this.idle.splice(index, 1);
      counters.idleConnections--;
    }
    if (this.pending.length > 0 && mayOpen(this.options, this.openConnections)) {
      const next = this.takePending();
      if (next !== null) this.openFor(next);
    }
    if (this.openConnections === 0) owner.onLaneEmpty(this);
  }

  onConnectFailure(): void {
    this.options.counters.connectFailureTotal++;
  }

  resend(stream: RequestStream): void {
    this.options.counters.resendTotal++;
    this.sendFresh(stream);
  }

  cancel(stream: RequestStream): void {
    const index = this.pending.indexOf(stream);
    if (index < 0) return;
    this.pending.splice(index, 1);
    this.options.counters.pendingRequests--;
  }

  closeIdle(nowMs: number): boolean {
    const { idleTimeoutMs, maxConnectionDurationMs } = this.options.transport.limits;
    for (let oldest = this.idle[0]; oldest !== undefined; oldest = this.idle[0]) {
      if (nowMs - oldest.idleSinceMs < idleTimeoutMs) break;
      oldest.close();
    }
    if (maxConnectionDurationMs !== Infinity) {
      for (const connection of this.idle.filter((candidate) => candidate.expiresAtMs <= nowMs)) connection.close();
    }
    this.isWatched = this.idle.length > 0;
    return this.isWatched;
  }

  /** Never an idle connection: where one has just died, the others are likely dead too. */
  private sendFresh(stream: RequestStream): void {
    const { counters, transport } = this.options;
    if (mayOpen(this.options, this.openConnections)) {
      this.openFor(stream);
    } else if (counters.pendingRequests < transport.limits.maxPendingRequests) {
      this.pending.push(stream);
      counters.pendingRequests++;
    } else {
      process.nextTick(failOverflow, stream);
    }
  }

  private openFor(stream: RequestStream): void {
    const { counters, transport } = this.options;
    this.openConnections++;
    counters.openConnections++;
    counters.connectTotal++;
    const target = connectTargetOf(this.options);
    new Http1Connection(this, target, transport.limits.maxConnectionDurationMs).carry(stream);
  }

  private takeIdle(): Http1Connection | null {
    for (let connection = this.idle.pop(); connection !== undefined; connection = this.idle.pop()) {
      this.options.counters.idleConnections--;
      if (connection.isUsable) return connection;
      connection.close();
    }
    return null;
  }

  private keepIdle(connection: Http1Connection): void {
    if (!this.isWatched) {
      this.isWatched = true;
      this.options.clock.watch(this);
    }
    connection.idleSinceMs = this.options.clock.nowMs;
    this.idle.push(connection);
    this.options.counters.idleConnections++;
  }

  private takePending(): RequestStream | null {
    const stream = this.pending.shift();
    if (stream === undefined) return null;
    this.options.counters.pendingRequests--;
    return stream;
  }
}

function isExpired({ expiresAtMs }: Http1Connection): boolean {
  return expiresAtMs !== Infinity && expiresAtMs <= performance.now();
}
