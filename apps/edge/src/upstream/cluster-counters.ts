// What is counted of a cluster: shared by its pools, also those that are being retired, read by the metrics.
import type { EjectionReason } from "./outlier/host-monitor.ts";
import type { OutlierStats } from "./outlier/outlier-detector.ts";

/** Plain numbers, so that counting is an increment. Gauges go up and down, `...Total` only up. */
export interface ClusterCounters {
  activeRequests: number;
  /** Requests that wait because their endpoint has reached its limit of connections. */
  pendingRequests: number;
  openConnections: number;
  idleConnections: number;
  connectTotal: number;
  connectFailureTotal: number;
  /** Requests that went out on a connection used before. */
  reuseTotal: number;
  /** Requests sent a second time because a kept connection died under them. */
  resendTotal: number;
  activeRetries: number;
  retryTotal: number;
  /** Retries that `maxRetries` or the retry budget did not allow. */
  retryOverflowTotal: number;
}

/** A cluster's counters at one moment. */
export interface ClusterStats extends Readonly<ClusterCounters>, OutlierStats {
  readonly cluster: string;
  readonly endpoints: number;
}

/** An endpoint as one worker sees it. */
export interface EndpointStatus {
  readonly address: string;
  readonly weight: number;
  readonly priority: number;
  readonly locality: string;
  readonly activeRequests: number;
  /** Null: it gets its share of the requests. */
  readonly ejectedFor: EjectionReason | null;
  /** How much longer, 0 when it is not ejected. */
  readonly ejectedForMs: number;
}

export function createCounters(): ClusterCounters {
  return {
    activeRequests: 0,
    pendingRequests: 0,
    openConnections: 0,
    idleConnections: 0,
    connectTotal: 0,
    connectFailureTotal: 0,
    reuseTotal: 0,
    resendTotal: 0,
    activeRetries: 0,
    retryTotal: 0,
    retryOverflowTotal: 0,
  };
}
