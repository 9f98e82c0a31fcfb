// What keeps the resources that were pushed through the API, and every version of them: one interface, several keepers (embedded in the
// state directory; memory, for tests). `test/support/store-contract.ts` holds every keeper to it.
//
// The configuration is compiled as one, so what a push was checked against is the whole of it: a commit names the version it was compiled on,
// and succeeds only while that is the latest. Preconditions on single resources are the business of whoever prepares the commit.
import type { Kind } from "@sluice/core/model";

/** What names a resource. `describeDocument` makes the text by which maps hold it: `VirtualService default/shop`. */
export interface ResourceKey {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

/** A resource as it is written. */
export interface ResourceText extends ResourceKey {
  /** The whole document as compact JSON, with `apiVersion` and `metadata.namespace`, without `metadata.resourceVersion`. */
  readonly text: string;
}

export interface StoredResource extends ResourceText {
  /** The number of the version that wrote it last: `metadata.resourceVersion`, the ETag. */
  readonly resourceVersion: number;
}

/** Everything stored right after a version. Immutable. */
export interface Snapshot {
  /** Of the version; 0 before the first. */
  readonly number: number;
  readonly resources: ReadonlyMap<string, StoredResource>;
}

/** What is to become the next version. */
export interface Commit {
  /** The number of the snapshot on which it was compiled. */
  readonly base: number;
  readonly puts: readonly ResourceText[];
  /** Keys that the base has. */
  readonly deletes: readonly ResourceKey[];
  readonly author: string;
  readonly reason: string;
  /** The version of the table that it compiles to. */
  readonly digest: string;
  /** The number of the version whose resources it puts back. */
  readonly restores?: number | null;
  /** The versions that it undoes because an edge refused them. */
  readonly refused?: readonly number[];
}

export type ChangeKind = "added" | "changed" | "removed";

export interface Change extends ResourceKey {
  readonly change: ChangeKind;
}

/** A version as the history tells of it. */
export interface VersionRecord {
  /** From 1, without gaps. */
  readonly number: number;
  readonly atMs: number;
  readonly author: string;
  readonly reason: string;
  readonly digest: string;
  readonly restores: number | null;
  readonly refused: readonly number[];
  readonly changes: readonly Change[];
}

/** A change with the texts before and after it; null where there was, or is, none. */
export interface ChangeTexts extends Change {
  readonly before: string | null;
  readonly after: string | null;
}

export interface VersionDetails extends VersionRecord {
  readonly changes: readonly ChangeTexts[];
}

export type CommitResult =
  | { readonly outcome: "committed"; readonly version: VersionRecord; readonly snapshot: Snapshot }
  /** Another version came first, here or through another ctrl: read, check and compile again. Nothing was written. */
  | { readonly outcome: "stale"; readonly number: number };

export interface StoreHealth {
  /** What it is, for people: `embedded` or `etcd`. */
  readonly kind: string;
  /** Why it cannot be written now; null when it can. */
  readonly problem: string | null;
}

/** Every method but `onChange` and `health` may fail with `StoreUnavailable`. */
export interface ResourceStore {
  readonly health: StoreHealth;

  /** The latest version this keeper knows of, which holds every commit of this keeper that was answered. */
  read(): Promise<Snapshot>;

  /**
   * Writes the next version, all of it or nothing. When it resolves with `committed`, the version survives the death of the process and of
   * the machine.
   *
   * @throws StoreUnavailable when it was not written, or nobody knows; StoreLimit when it never can be
   */
  commit(commit: Commit): Promise<CommitResult>;

  /** Newest first, as many as the history keeps. */
  versions(): Promise<readonly VersionRecord[]>;

  /** Null when the history does not hold it, or not any more. */
  version(number: number): Promise<VersionDetails | null>;

  /** Everything as it was right after a version that the history holds, or the one before them; null for any other. */
  readAt(number: number): Promise<Snapshot | null>;

  /**
   * Calls back after every version, from here or elsewhere, with the latest snapshot; several that come at once may be told as one. A
   * commit's own call may come before or after its promise resolves.
   *
   * @returns what ends it
   */
  onChange(listener: (snapshot: Snapshot) => void): () => void;

  close(): Promise<void>;
}

/** The store cannot be read or written now. The API answers 503. */
export class StoreUnavailable extends Error {}

/** The commit is larger than the store takes. The API answers 413. */
export class StoreLimit extends Error {}
