// A lane: the connections of one endpoint that any of its requests may take, because protocol, server name and (where PROXY headers are
// sent) client are the same. What all lanes share is here: their options and the question whether one more connection may be opened.
import type { UpstreamProtocol } from "@sluice/core/model";
import type { ClusterCounters } from "./cluster-counters.ts";
import type { IdleClock } from "./idle-clock.ts";
import type { ConnectTarget } from "./open-socket.ts";
import type { PoolLimits } from "./pool-limits.ts";
import type { RequestStream } from "./request-stream.ts";
import type { AddressSource } from "./socket-address.ts";
import type { TlsOrigination } from "./tls-origination.ts";

/** How the endpoints of a cluster are reached. Limits change in place, for connections opened from then on; the rest makes new pools. */
export interface Transport {
  readonly protocol: UpstreamProtocol;
  readonly tls: TlsOrigination | null;
  readonly sendsProxyProtocol: "V1" | "V2" | null;
  connectTimeoutMs: number;
  limits: PoolLimits;
}

/** The pool, as its lanes see it. */
export interface LaneOwner {
  /** Nothing is left in the lane. */
  onLaneEmpty(lane: Lane): void;
  /** The cluster has as many connections as it may: closes an idle one of another lane, if there is one. */
  freeConnection(): void;
}

export interface LaneOptions {
  readonly owner: LaneOwner;
  readonly target: Pick<ConnectTarget, "preamble" | "tls"> & { readonly source: AddressSource };
  readonly transport: Transport;
  readonly counters: ClusterCounters;
  readonly clock: IdleClock;
}

export interface Lane {
  /** Sends a stream's request on some connection, now or when there is one. */
  carry(stream: RequestStream): void;
  /** The stream waits no more, if it did here. */
  cancel(stream: RequestStream): void;
  /** Idle connections close now, the others with what they carry. */
  retire(): void;
  /** Closes the connection that has been idle longest; false when none is. */
  closeOldestIdle(): boolean;
}

/** The target of a connection that is opened now. */
export function connectTargetOf({ target, transport }: LaneOptions): ConnectTarget {
  const { connectTimeoutMs, limits } = transport;
  const { preamble, source, tls } = target;
  return { address: source.next(), preamble, tls, connectTimeoutMs, tcpKeepaliveMs: limits.tcpKeepaliveMs };
}

/** Whether a lane with `ownConnections` may open one more; see `PoolLimits.maxConnections`. */
export function mayOpen({ counters, owner, transport }: LaneOptions, ownConnections: number): boolean {
  const { maxConnections } = transport.limits;
  if (counters.openConnections < maxConnections) return true;
  if (ownConnections > 0) return false;
  owner.freeConnection();
  return true;
}

export function failOverflow(stream: RequestStream): void {
  stream.fail("upstream_overflow", "");
}
