// What this ctrl knows of the store, in memory: brought up to what a quorum has by reading the versions that came since, or everything again
// after an absence longer than versions are kept.
import { StoreState } from "../store-state.ts";
import type { CallOptions } from "./client.ts";
import { EtcdError } from "./etcd-error.ts";
import type { VersionName } from "./layout.ts";
import type { StoreLog } from "./store-log.ts";

/** Each means that what was being read had been compacted away meanwhile. */
const maxReadAttempts = 5;

export class Mirror {
  readonly #log: StoreLog;
  readonly #maxHistory: number;
  #state: StoreState;
  #latest: VersionName | null = null;
  /** The number of the latest checkpoint that is known. */
  checkpoint = 0;

  constructor(log: StoreLog, maxHistory: number) {
    this.#log = log;
    this.#maxHistory = maxHistory;
    this.#state = new StoreState(maxHistory);
  }

  get state(): StoreState {
    return this.#state;
  }

  /** Null before the first version. */
  get latest(): VersionName | null {
    return this.#latest;
  }

  /** Takes over a version that was written on the latest one. */
  apply(name: VersionName, entry: Parameters<StoreState["apply"]>[0]): ReturnType<StoreState["apply"]> {
    const version = this.#state.apply(entry);
    this.#latest = name;
    return version;
  }

  /** @throws Error when etcd does not answer, or holds another history; what was read until then is kept */
  async catchUp(options: CallOptions): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        while (await this.#readPage(options));
        return;
      } catch (error) {
        const isWorthMore = error instanceof EtcdError && error.isCompacted && attempt < maxReadAttempts;
        if (!isWorthMore) throw error;
      }
    }
  }

  /** @returns true when there may be more */
  async #readPage(options: CallOptions): Promise<boolean> {
    const { number } = this.#state.snapshot;
    const { latest, checkpoint, versions, revision } = await this.#log.readAfter(number, options);
    this.checkpoint = checkpoint?.number ?? 0;
    if (latest?.id === this.#latest?.id) return false;
    if (latest === null || latest.number <= number) throw anotherHistory(number, latest?.number ?? 0);
    const hasBegun = this.#latest !== null || checkpoint === null;
    if (!hasBegun || versions[0]?.number !== number + 1) {
      // We have just begun, or were away for longer than versions are kept: everything is read again.
      if (checkpoint === null || checkpoint.number <= number) throw new Error(`versions after ${number} are missing`);
      this.#state = new StoreState(this.#maxHistory, await this.#log.imageOf(checkpoint, revision, options));
      this.#latest = { number: checkpoint.number, id: checkpoint.id };
      return true;
    }
    for (const version of versions) {
      if (version.previous !== (this.#latest?.id ?? null)) throw anotherHistory(number, latest.number);
      const entry = await this.#log.entryOf(version, revision, options);
      this.apply({ number: version.number, id: version.id }, entry);
    }
    return this.#latest?.id !== latest.id;
  }
}

/** Versions were answered that etcd does not have, or has others in their place: nothing is written on top of that. */
function anotherHistory(ours: number, theirs: number): Error {
  return new Error(
    `etcd holds another history than this ctrl: its latest version is ${theirs}, ours ${ours}. Was a backup restored? Restart this ctrl to take over what etcd has`,
  );
}
