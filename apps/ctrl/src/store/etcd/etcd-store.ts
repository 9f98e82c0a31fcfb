// The store of several ctrls: etcd holds the versions, every ctrl a mirror of them in memory. Any ctrl takes writes; the latest version is the
// one key for which they compete.
//
// Reads come from the mirror and go on while etcd is away. What a quorum has acknowledged is what `commit` answers. A watch tells of new
// versions at once; a look every second, which a quorum has to answer, tells whether the store can be written and that nothing was missed.
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type Commit, type CommitResult, type StoreHealth, StoreLimit, StoreUnavailable } from "../resource-store.ts";
import { StatefulStore } from "../stateful-store.ts";
import type { StoreState } from "../store-state.ts";
import { Turns } from "../turns.ts";
import { EtcdClient, type EtcdClientOptions } from "./client.ts";
import { EtcdError, EtcdUnreachable, messageOf } from "./etcd-error.ts";
import { Health } from "./health.ts";
import { Looks } from "./looks.ts";
import { Mirror } from "./mirror.ts";
import { StoreLog, unknownOutcome } from "./store-log.ts";

const defaultCheckpointEvery = 100;
const openRetryMs = 1_000;
const warnEveryMs = 10_000;

export interface EtcdStoreOptions extends EtcdClientOptions {
  readonly prefix: string;
  /** How long a write looks for a member that takes it. */
  readonly timeoutMs: number;
  /** How many versions the history keeps. */
  readonly maxHistory: number;
  /** Versions from one checkpoint to the next. */
  readonly checkpointEvery?: number;
  /** Largest version and checkpoint, in MiB of compressed text. */
  readonly maxChunks?: number;
  /** Ends the waiting for etcd when the store is opened. */
  readonly signal?: AbortSignal;
  /** What an operator should know of, though the store goes on. */
  onWarning(message: string): void;
}

export class EtcdStore extends StatefulStore {
  readonly #options: EtcdStoreOptions;
  readonly #client: EtcdClient;
  readonly #log: StoreLog;
  readonly #mirror: Mirror;
  readonly #health: Health;
  /** Commits and catching up, one after the other: both move the mirror. */
  readonly #turns = new Turns();
  #looks: Looks | null = null;
  #isSaving = false;
  #isClosed = false;

  private constructor(options: EtcdStoreOptions) {
    super();
    this.#options = options;
    this.#client = new EtcdClient(options);
    this.#log = new StoreLog(this.#client, options);
    this.#mirror = new Mirror(this.#log, options.maxHistory);
    this.#health = new Health((message) => options.onWarning(message));
  }

  /** Waits for etcd as long as it takes: edges serve what they have meanwhile. @throws Error when etcd refuses us, or holds what we cannot read */
  static async open(options: EtcdStoreOptions): Promise<EtcdStore> {
    const store = new EtcdStore(options);
    try {
      await store.#client.check();
      await store.#catchUpAtLast();
    } catch (error) {
      store.#client.close();
      throw new Error(`ctrl.store.etcd: ${messageOf(error)}`, { cause: error });
    }
    const { watchedKey } = store.#log;
    store.#looks = new Looks(store.#client, watchedKey, async () => await store.#look());
    return store;
  }

  get health(): StoreHealth {
    return { kind: "etcd", problem: this.#health.problem };
  }

  protected get state(): StoreState {
    return this.#mirror.state;
  }

  commit(commit: Commit): Promise<CommitResult> {
    return this.#turns.take(async () => await this.#commit(commit));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.forgetListeners();
    this.#looks?.close();
    this.#client.close();
    await this.#turns.done();
  }

  async #commit(commit: Commit): Promise<CommitResult> {
    const { state, latest } = this.#mirror;
    if (commit.base !== state.snapshot.number) return this.#stale();
    // Nothing is sent, so nothing can come of it later, and who pushes need not wait for the time to run out.
    if (this.#health.isAway) throw new StoreUnavailable(`${this.#health.problem}; nothing was written`);
    const entry = state.toEntry(commit, Date.now());
    const name = { number: entry.number, id: randomUUID() };
    const outcome = await this.#append({ ...name, previous: latest, entry });
    if (outcome === "stale") {
      await this.#catchUpOnStale();
      return this.#stale();
    }
    const version = this.#mirror.apply(name, entry);
    this.#saveWhenDue();
    this.tell();
    return { outcome: "committed", version, snapshot: state.snapshot };
  }

  /** Whoever tries again must find what came first. */
  async #catchUpOnStale(): Promise<void> {
    try {
      await this.#catchUp();
    } catch (error) {
      throw new StoreUnavailable(`another version came first, and cannot be read: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  #stale(): CommitResult {
    return { outcome: "stale", number: this.#mirror.state.snapshot.number };
  }

  async #append(appended: Parameters<StoreLog["append"]>[0]): Promise<"written" | "stale"> {
    try {
      const outcome = await this.#log.append(appended, { deadlineMs: this.#options.timeoutMs });
      this.#health.written();
      return outcome;
    } catch (error) {
      if (error instanceof StoreLimit || error instanceof StoreUnavailable) throw error;
      if (error instanceof EtcdUnreachable) {
        this.#health.unreachable(error.message);
        throw new StoreUnavailable(`etcd does not answer (${error.message}); ${unknownOutcome(appended.number)}`);
      }
      if (!(error instanceof EtcdError)) throw error;
      if (/request is too large/.test(error.message)) throw new StoreLimit(error.message);
      this.#health.refused(error.message);
      throw new StoreUnavailable(`etcd refuses to write (${error.message}); nothing was written`);
    }
  }

  /** @returns the revision of the latest version; 0 when there is none */
  async #look(): Promise<number> {
    try {
      const latest = await this.#log.readLatest({ deadlineMs: this.#options.timeoutMs });
      if (latest?.id !== this.#mirror.latest?.id) await this.#turns.take(async () => await this.#catchUp());
      this.#health.reached();
      return latest?.revision ?? 0;
    } catch (error) {
      if (!this.#isClosed) this.#health.unreachable(messageOf(error));
      throw error;
    }
  }

  /** In a turn. */
  async #catchUp(): Promise<void> {
    const before = this.#mirror.state.snapshot.number;
    try {
      await this.#mirror.catchUp({ deadlineMs: this.#options.timeoutMs });
    } finally {
      if (this.#mirror.state.snapshot.number !== before) this.tell();
    }
  }

  async #catchUpAtLast(): Promise<void> {
    const { signal } = this.#options;
    let warnedAtMs = Number.NEGATIVE_INFINITY;
    for (;;) {
      try {
        return await this.#catchUp();
      } catch (error) {
        if (!(error instanceof EtcdUnreachable)) throw error;
        if (performance.now() - warnedAtMs > warnEveryMs) {
          this.#options.onWarning(`waiting for etcd: ${error.message}`);
          warnedAtMs = performance.now();
        }
      }
      await pause(openRetryMs, undefined, signal === undefined ? {} : { signal });
    }
  }

  /** Nobody waits for it: what it spares is reading many versions at the next start. */
  #saveWhenDue(): void {
    const { state, latest, checkpoint } = this.#mirror;
    const { checkpointEvery = defaultCheckpointEvery, timeoutMs } = this.#options;
    if (this.#isSaving || latest === null || latest.number - checkpoint < checkpointEvery) return;
    this.#isSaving = true;
    void this.#log
      .saveCheckpoint(stillImage(state), latest.id, { deadlineMs: timeoutMs })
      .then((number) => (this.#mirror.checkpoint = number))
      .catch((error: unknown) => {
        if (!this.#isClosed) this.#options.onWarning(`the checkpoint in etcd was not written: ${messageOf(error)}`);
      })
      .finally(() => (this.#isSaving = false));
  }
}

/** The history is a list that grows; the snapshot never changes. */
function stillImage({ image }: StoreState) {
  return { snapshot: image.snapshot, history: [...image.history] };
}
