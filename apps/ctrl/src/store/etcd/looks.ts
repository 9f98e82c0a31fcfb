// When to look at etcd: once a second, and at once when the watch says so. One look at a time.
import type { EtcdClient } from "./client.ts";
import { KeyWatch } from "./watch.ts";

const everyMs = 1_000;

export class Looks {
  readonly #look: () => Promise<number>;
  readonly #watch: KeyWatch;
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;
  #isWanted = false;
  #isClosed = false;
  /** Of the look before: by now the watch should have told of it. */
  #expectedRevision = 0;

  /** @param look resolves with the revision of the watched key */
  constructor(client: EtcdClient, key: string, look: () => Promise<number>) {
    this.#look = look;
    this.#watch = new KeyWatch(client, key, () => this.#want());
    this.#want();
  }

  close(): void {
    this.#isClosed = true;
    this.#watch.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #want(): void {
    this.#isWanted = true;
    if (!this.#isLooking) void this.#run();
  }

  async #run(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#isLooking = true;
    while (this.#isWanted && !this.#isClosed) {
      this.#isWanted = false;
      // What went wrong is the store's to tell.
      await this.#look().then(
        (revision) => this.#compare(revision),
        () => {},
      );
    }
    this.#isLooking = false;
    if (!this.#isClosed) this.#timer = setTimeout(() => this.#want(), everyMs);
  }

  /** A watch that has not told of what the look before saw hangs on a member that is cut off from the others. */
  #compare(revision: number): void {
    if (this.#watch.revision < this.#expectedRevision) this.#watch.restart();
    this.#expectedRevision = revision;
  }
}
