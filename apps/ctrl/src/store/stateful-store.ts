// What every keeper of resources does alike: it reads from a state that it holds in memory, and tells of every change of it.
import type {
  Commit,
  CommitResult,
  ResourceStore,
  Snapshot,
  StoreHealth,
  VersionDetails,
  VersionRecord,
} from "./resource-store.ts";
import type { StoreState } from "./store-state.ts";

export abstract class StatefulStore implements ResourceStore {
  abstract readonly health: StoreHealth;
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();

  /** The latest that this keeper knows of. */
  protected abstract get state(): StoreState;

  abstract commit(commit: Commit): Promise<CommitResult>;
  abstract close(): Promise<void>;

  async read(): Promise<Snapshot> {
    return this.state.snapshot;
  }

  async versions(): Promise<readonly VersionRecord[]> {
    return this.state.versions();
  }

  async version(number: number): Promise<VersionDetails | null> {
    return this.state.version(number);
  }

  async readAt(number: number): Promise<Snapshot | null> {
    return this.state.readAt(number);
  }

  onChange(listener: (snapshot: Snapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  protected tell(): void {
    const { snapshot } = this.state;
    for (const listener of this.#listeners) listener(snapshot);
  }

  /** Nobody is told any more. */
  protected forgetListeners(): void {
    this.#listeners.clear();
  }
}
