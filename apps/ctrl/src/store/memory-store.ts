// The store that keeps nothing beyond its process: for tests, and the shortest reading of the interface.
import type { Commit, CommitResult, StoreHealth } from "./resource-store.ts";
import { StatefulStore } from "./stateful-store.ts";
import { StoreState } from "./store-state.ts";

export class MemoryStore extends StatefulStore {
  readonly health: StoreHealth = { kind: "memory", problem: null };
  protected readonly state: StoreState;

  constructor(maxHistory = 100) {
    super();
    this.state = new StoreState(maxHistory);
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const { number } = this.state.snapshot;
    if (commit.base !== number) return { outcome: "stale", number };
    const version = this.state.apply(this.state.toEntry(commit, Date.now()));
    this.tell();
    return { outcome: "committed", version, snapshot: this.state.snapshot };
  }

  async close(): Promise<void> {
    this.forgetListeners();
  }
}
