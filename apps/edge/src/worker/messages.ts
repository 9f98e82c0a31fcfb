// What the primary and its workers say to each other over node:cluster's channel. Both ends are this package at one version, so the
// shapes are types, not checked data.
import type { Settings } from "@sluice/core/settings";
import type { ManifestEntry, ResourceKey } from "@sluice/core/wire";
import type { MetricJson } from "../observe/metric-json.ts";
import type { EndpointStatus } from "../upstream/cluster-counters.ts";
import type { OutlierEvent } from "../upstream/outlier/outlier-detector.ts";

/** Address and port that a listener of the table is bound to; the primary decides, so that all workers agree. */
export interface Binding {
  readonly address: string;
  readonly port: number;
}

export interface ListenerReport {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly boundPort: number;
  readonly engine: "uws" | "node";
}

export type ToWorker =
  | { readonly type: "configure"; readonly settings: Settings; readonly ticketSecret: Uint8Array }
  | {
      /** Decode resources of a table to come, beside the live one. The first of a version begins it. */
      readonly type: "stage";
      readonly version: string;
      /** The version this worker serves and the table starts from; null: it starts from nothing. */
      readonly base: string | null;
      readonly resources: readonly (readonly [entry: ManifestEntry, bytes: Uint8Array])[];
    }
  | {
      /** Put the table together out of what was staged, and check it. */
      readonly type: "prepare";
      readonly version: string;
      readonly remove: readonly ResourceKey[];
      readonly bindings: Readonly<Record<string, Binding>>;
    }
  /** Serve what was prepared. */
  | { readonly type: "commit"; readonly version: string }
  /** Forget what was staged or prepared. */
  | { readonly type: "abort"; readonly version: string }
  /** Finish what is under way, then end. */
  | { readonly type: "drain" }
  | { readonly type: "metrics"; readonly id: number }
  | { readonly type: "endpoints"; readonly id: number }
  | { readonly type: "reopen-logs" };

export type FromWorker =
  /** First of all: from now on messages are heard. What is sent to a process that still loads its modules is lost. */
  | { readonly type: "started" }
  | { readonly type: "prepared"; readonly version: string }
  | { readonly type: "refused"; readonly version: string; readonly reason: string }
  | {
      readonly type: "applied";
      readonly version: string;
      readonly appliedMs: number;
      readonly listeners: readonly ListenerReport[];
    }
  | { readonly type: "metrics"; readonly id: number; readonly metrics: readonly MetricJson[] }
  | {
      readonly type: "endpoints";
      readonly id: number;
      readonly endpoints: Readonly<Record<string, readonly EndpointStatus[]>>;
    }
  /** An endpoint was ejected by this worker, or is back. */
  | { readonly type: "outlier"; readonly cluster: string; readonly event: OutlierEvent }
  | { readonly type: "engine-unavailable"; readonly reason: string };
