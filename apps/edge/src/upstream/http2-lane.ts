// The HTTP/2 connections of a lane: requests go to one that has room, wait for one that is being opened, or open one more.
import type { FailureCode } from "../exchange/failure.ts";
import { Http2Connection, type Http2ConnectionOwner } from "./http2-connection.ts";
import type { IdleHolder } from "./idle-clock.ts";
import { connectTargetOf, failOverflow, type Lane, type LaneOptions, mayOpen } from "./lane.ts";
import type { RequestStream } from "./request-stream.ts";

/** Streams that a connection which has not said yet is expected to take: the least that RFC 9113, 6.5.2 recommends. */
const expectedStreams = 100;

export class Http2Lane implements Lane, Http2ConnectionOwner, IdleHolder {
  private readonly options: LaneOptions;
  private readonly connections: Set<Http2Connection>;
  private readonly idle: Set<Http2Connection>;
  private readonly pending: RequestStream[];
  private isRetired: boolean;
  private isWatched: boolean;

  constructor(options: LaneOptions) {
    this.options = options;
    this.connections = new Set();
    this.idle = new Set();
    this.pending = [];
    this.isRetired = false;
    this.isWatched = false;
  }

  carry(stream: RequestStream): void {
    const { counters, transport } = this.options;
    const connection = this.connectionWithRoom();
    if (connection !== null) {
      this.sendOn(connection, stream);
      return;
    }
    // What connections under way will take does not wait for room: it is no more pending than a request of HTTP/1.1 that connects.
    const expected = this.connectingCount() * this.expectedStreams();
    if (this.pending.length >= expected && !this.openConnection()) {
      if (counters.pendingRequests - expected >= transport.limits.maxPendingRequests) {
        process.nextTick(failOverflow, stream);
        return;
      }
    }
    this.pending.push(stream);
    counters.pendingRequests++;
  }

  cancel(stream: RequestStream): void {
    const index = this.pending.indexOf(stream);
    if (index < 0) return;
    this.pending.splice(index, 1);
    this.options.counters.pendingRequests--;
  }

  retire(): void {
    this.isRetired = true;
    for (const connection of this.connections) {
      if (connection.isReady && this.pending.length === 0) connection.drain();
    }
  }

  closeOldestIdle(): boolean {
    const [oldest] = this.idle;
    oldest?.close();
    return oldest !== undefined;
  }

  closeIdle(nowMs: number): boolean {
    const { idleTimeoutMs } = this.options.transport.limits;
    for (const connection of this.idle) {
      if (nowMs - connection.idleSinceMs >= idleTimeoutMs || connection.isSpent) connection.close();
    }
    this.isWatched = this.idle.size > 0;
    return this.isWatched;
  }

  onRoom(connection: Http2Connection): void {
    while (connection.hasRoom) {
      const stream = this.takePending();
      if (stream === null) break;
      this.sendOn(connection, stream);
    }
    // It takes fewer than was expected, or no more.
    if (this.pending.length > 0 && this.connectingCount() === 0) this.openConnection();
    if (connection.activeStreams === 0 && !connection.isClosed) this.keepIdle(connection);
  }

  onIdle(connection: Http2Connection): void {
    this.onRoom(connection);
  }

  onClosed(connection: Http2Connection, failure: FailureCode | null, detail: string): void {
    const { counters, owner } = this.options;
    this.connections.delete(connection);
    counters.openConnections--;
    if (this.idle.delete(connection)) counters.idleConnections--;
    if (failure !== null) {
      counters.connectFailureTotal++;
      // Nobody else can take those that wait; a new attempt for each would be a storm.
      if (this.connections.size === 0) this.failPending(failure, detail);
    } else if (this.pending.length > 0 && this.connectingCount() === 0) {
      this.openConnection();
    }
    if (this.connections.size === 0) owner.onLaneEmpty(this);
  }

  resend(stream: RequestStream): void {
    this.options.counters.resendTotal++;
    this.carry(stream);
  }

  private connectionWithRoom(): Http2Connection | null {
    for (const connection of this.connections) {
      if (connection.hasRoom) return connection;
    }
    return null;
  }

  private connectingCount(): number {
    let count = 0;
    for (const connection of this.connections) {
      if (!connection.isReady) count++;
    }
    return count;
  }

  private expectedStreams(): number {
    const { maxConcurrentStreams, maxRequestsPerConnection } = this.options.transport.limits;
    return Math.min(expectedStreams, maxConcurrentStreams, maxRequestsPerConnection);
  }

  private openConnection(): boolean {
    const { counters, transport } = this.options;
    if (!mayOpen(this.options, this.connections.size)) return false;
    counters.openConnections++;
    counters.connectTotal++;
    this.connections.add(new Http2Connection(this, connectTargetOf(this.options), transport.limits));
    return true;
  }

  private sendOn(connection: Http2Connection, stream: RequestStream): void {
    const { counters } = this.options;
    if (this.idle.delete(connection)) counters.idleConnections--;
    if (connection.hasServed) counters.reuseTotal++;
    connection.carry(stream);
  }

  private keepIdle(connection: Http2Connection): void {
    if (this.isRetired) {
      connection.close();
      return;
    }
    const { clock, counters } = this.options;
    if (!this.isWatched) {
      this.isWatched = true;
      clock.watch(this);
    }
    connection.idleSinceMs = clock.nowMs;
    if (!this.idle.has(connection)) counters.idleConnections++;
    this.idle.add(connection);
  }

  private takePending(): RequestStream | null {
    const stream = this.pending.shift();
    if (stream === undefined) return null;
    this.options.counters.pendingRequests--;
    return stream;
  }

  private failPending(failure: FailureCode, detail: string): void {
    for (let stream = this.takePending(); stream !== null; stream = this.takePending()) stream.fail(failure, detail);
  }
}
