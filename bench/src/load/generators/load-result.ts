// What every load generator reports, and what it is told.
import type { Door } from "../contender.ts";
import type { Machine } from "../machine.ts";
import type { Processes } from "../processes.ts";
import type { Latency } from "../statistics.ts";

export interface LoadResult {
  /** Answered with 2xx. For WebSocket: messages that came back; for handshakes: connections. */
  readonly requests: number;
  readonly seconds: number;
  /** Answers other than 2xx, connections that broke under a request, timeouts. */
  readonly errors: number;
  readonly latency: Latency;
}

/** Where requests go and which. */
export interface LoadTarget {
  readonly port: number;
  readonly door: Door;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** Asked in turn. */
  readonly hosts: number;
  /** Of each request; 0: GET. */
  readonly bodyBytes: number;
}

/** What generators need to run. */
export interface Tools {
  readonly processes: Processes;
  readonly machine: Machine;
  /** Temporary files. */
  readonly directory: string;
  readonly signal: AbortSignal;
}

/**
 * Milliseconds a generator that loads for so many seconds has to come to its end: it connects before and reports after. Some never do:
 * h2load waits for ever for clients that had no handshake yet when its clock ran out.
 */
export function limitOf(seconds: number): number {
  return (seconds + 30) * 1000;
}
