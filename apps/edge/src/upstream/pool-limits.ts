// The limits of a cluster as its pools compare them: "none" is Infinity, so that a limit is one comparison.
import type { ClusterLimits } from "@sluice/core/model";
import type { KeepaliveTimes } from "./http2-keepalive.ts";

/** All counts are a cluster's in this process. */
export interface PoolLimits {
  /**
   * Connections, in use and idle. An endpoint without any may always open one: its requests could not wait for another
   * endpoint's to become free (Envoy's rule).
   */
  readonly maxConnections: number;
  /** Requests that may wait for a connection once `maxConnections` is reached; one more fails with `upstream_overflow`. */
  readonly maxPendingRequests: number;
  /** Requests under way and waiting; one more fails with `upstream_overflow`. */
  readonly maxRequests: number;
  readonly maxRequestsPerConnection: number;
  /** Streams of one HTTP/2 connection; the peer may allow fewer. */
  readonly maxConcurrentStreams: number;
  readonly maxIdleConnections: number;
  readonly idleTimeoutMs: number;
  /** A connection this old carries what it carries and then closes. */
  readonly maxConnectionDurationMs: number;
  /** Null: the socket's default. */
  readonly tcpKeepaliveMs: number | null;
  readonly http2Keepalive: KeepaliveTimes | null;
}

/** Idle connections of one endpoint. A burst of requests must not leave its peak of sockets open for an hour. */
const maxIdleConnections = 1024;

export function toPoolLimits(limits: ClusterLimits): PoolLimits {
  return {
    maxConnections: limits.maxConnections || Infinity,
    maxPendingRequests: limits.maxPendingRequests || Infinity,
    maxRequests: limits.maxRequests || Infinity,
    maxRequestsPerConnection: limits.maxRequestsPerConnection || Infinity,
    maxConcurrentStreams: limits.maxConcurrentStreams || Infinity,
    maxIdleConnections,
    idleTimeoutMs: limits.idleTimeoutMs || Infinity,
    maxConnectionDurationMs: limits.maxConnectionDurationMs || Infinity,
    tcpKeepaliveMs: limits.tcpKeepaliveMs,
    http2Keepalive: limits.http2Keepalive,
  };
}
