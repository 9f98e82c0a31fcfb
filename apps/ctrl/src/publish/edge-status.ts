// What is known of an edge: who and where it is, what each of its workers serves since when, what it refused, and what it was sent.
import type { ListenerStatus, WorkerStatus } from "@sluice/core/wire";

export interface EdgeNack {
  readonly version: string;
  readonly worker: number | null;
  readonly reason: string;
  readonly atMs: number;
}

/** What a commit cost. */
export interface SentCommit {
  readonly version: string;
  readonly bytes: number;
  readonly resources: number;
  readonly atMs: number;
}

export interface EdgeStatus {
  readonly id: string;
  readonly productVersion: string;
  /** `local` on the control socket, else the address it comes from. */
  readonly address: string;
  readonly connectedSinceMs: number;
  /** The version it last said to serve. */
  readonly version: string | null;
  /** The version it was sent and has not answered for. */
  readonly pending: string | null;
  readonly workers: readonly WorkerStatus[];
  readonly listeners: readonly ListenerStatus[];
  /** The last refusal, until it serves another version than it did then. */
  readonly nack: EdgeNack | null;
  /** On this connection. */
  readonly bytesSent: number;
  readonly lastCommit: SentCommit | null;
}
