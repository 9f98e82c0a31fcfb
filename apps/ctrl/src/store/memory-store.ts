// The store that keeps nothing beyond its process: for tests, and the shortest reading of the interface.
import type {
  Commit,
  CommitResult,
  ResourceStore,
  Snapshot,
  StoreHealth,
  VersionDetails,
  VersionRecord,
} from "./resource-store.ts";
import { StoreState } from "./store-state.ts";

export class MemoryStore implements ResourceStore {
  readonly health: StoreHealth = { kind: "memory", problem: null };
  readonly #state: StoreState;
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();

  constructor(maxHistory = 100) {
    this.#state = new StoreState(maxHistory);
  }

  async read(): Promise<Snapshot> {
    return this.#state.snapshot;
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const { number } = this.#state.snapshot;
    if (commit.base !== number) return { outcome: "stale", number };
    const version = this.#state.apply(this.#state.toEntry(commit, Date.now()));
    const { snapshot } = this.#state;
    for (const listener of this.#listeners) listener(snapshot);
    return { outcome: "committed", version, snapshot };
  }

  async versions(): Promise<readonly VersionRecord[]> {
    return this.#state.versions();
  }

  async version(number: number): Promise<VersionDetails | null> {
    return this.#state.version(number);
  }

  async readAt(number: number): Promise<Snapshot | null> {
    return this.#state.readAt(number);
  }

  onChange(listener: (snapshot: Snapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
  }
}
