// The stored resources and their bounded history in memory: what every keeper mirrors. Pure: it knows nothing of disks and networks.
//
// A version of the history keeps what it replaced, so that the state after any earlier version is found by undoing the later ones.
import { describeDocument } from "@sluice/core/model";
import type {
  Change,
  ChangeTexts,
  Commit,
  ResourceKey,
  ResourceText,
  Snapshot,
  StoredResource,
  VersionDetails,
  VersionRecord,
} from "./resource-store.ts";

/** A version as it is written down: enough to make the next state from the one before. */
export interface VersionEntry extends Omit<VersionRecord, "changes"> {
  readonly puts: readonly ResourceText[];
  readonly deletes: readonly ResourceKey[];
}

/** A version with what it replaced: enough to go back to the state before it. */
export interface UndoableVersion extends VersionRecord {
  /** By the change's place in `changes`. */
  readonly before: readonly (StoredResource | null)[];
}

/** What a keeper writes down to start from. */
export interface StateImage {
  readonly snapshot: Snapshot;
  /** Oldest first. */
  readonly history: readonly UndoableVersion[];
}

export class StoreState {
  readonly #maxHistory: number;
  #snapshot: Snapshot;
  #history: UndoableVersion[];

  /** @param maxHistory how many versions are kept, at least 1 */
  constructor(maxHistory: number, image: StateImage = { snapshot: { number: 0, resources: new Map() }, history: [] }) {
    this.#maxHistory = maxHistory;
    this.#snapshot = image.snapshot;
    this.#history = image.history.slice(-maxHistory);
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get image(): StateImage {
    return { snapshot: this.#snapshot, history: this.#history };
  }

  /** What a commit on the latest version is written down as. */
  toEntry({ base, restores = null, refused = [], ...commit }: Commit, atMs: number): VersionEntry {
    return { number: base + 1, atMs, restores, refused, ...commit };
  }

  /** Makes the entry the latest version. @throws Error when it does not follow the latest one */
  apply({ puts, deletes, ...version }: VersionEntry): VersionRecord {
    const { number } = version;
    if (number !== this.#snapshot.number + 1)
      throw new Error(`version ${number} does not follow version ${this.#snapshot.number}`);
    const resources = new Map(this.#snapshot.resources);
    const changes: Change[] = [];
    const before: (StoredResource | null)[] = [];
    for (const { kind, namespace, name, text } of puts) {
      const key = describeDocument({ kind, namespace, name });
      const former = resources.get(key) ?? null;
      changes.push({ kind, namespace, name, change: former === null ? "added" : "changed" });
      before.push(former);
      resources.set(key, { kind, namespace, name, text, resourceVersion: number });
    }
    for (const { kind, namespace, name } of deletes) {
      const key = describeDocument({ kind, namespace, name });
      const former = resources.get(key);
      if (former === undefined) continue;
      changes.push({ kind, namespace, name, change: "removed" });
      before.push(former);
      resources.delete(key);
    }
    const record = toRecord({ ...version, changes });
    this.#snapshot = { number, resources };
    this.#history.push({ ...record, before });
    if (this.#history.length > this.#maxHistory) this.#history.shift();
    return record;
  }

  /** Newest first. */
  versions(): readonly VersionRecord[] {
    return this.#history.toReversed().map(toRecord);
  }

  version(number: number): VersionDetails | null {
    const index = this.#history.findIndex((version) => version.number === number);
    const found = this.#history[index];
    if (found === undefined) return null;
    const changes = found.changes.map((change, place): ChangeTexts => {
      const after = change.change === "removed" ? null : this.#textAfter(describeDocument(change), index);
      return { ...change, before: found.before[place]?.text ?? null, after };
    });
    return { ...toRecord(found), changes };
  }

  readAt(number: number): Snapshot | null {
    if (number === this.#snapshot.number) return this.#snapshot;
    const oldest = this.#history[0];
    if (oldest === undefined || number < oldest.number - 1 || number > this.#snapshot.number) return null;
    const resources = new Map(this.#snapshot.resources);
    for (const version of this.#history.toReversed()) {
      if (version.number <= number) break;
      for (const [place, change] of version.changes.entries()) {
        const former = version.before[place] ?? null;
        if (former === null) resources.delete(describeDocument(change));
        else resources.set(describeDocument(change), former);
      }
    }
    return { number, resources };
  }

  /** What the next version that touches the resource replaced, or what is stored now. */
  #textAfter(key: string, index: number): string | null {
    for (const version of this.#history.slice(index + 1)) {
      const place = version.changes.findIndex((change) => describeDocument(change) === key);
      if (place >= 0) return version.before[place]?.text ?? null;
    }
    return this.#snapshot.resources.get(key)?.text ?? null;
  }
}

function toRecord({ number, atMs, author, reason, digest, restores, refused, changes }: VersionRecord): VersionRecord {
  return { number, atMs, author, reason, digest, restores, refused, changes };
}
