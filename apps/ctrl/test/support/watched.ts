// A directory source and what it has emitted. Waiting is always for a snapshot, never for a time.
import { DirectorySource, type DirectorySourceOptions, type Snapshot } from "../../src/source/directory.ts";

export class Watched implements AsyncDisposable {
  readonly source: DirectorySource;
  readonly snapshots: Snapshot[] = [];
  readonly refusals: string[] = [];
  #onSnapshot: (() => void) | null = null;

  private constructor(directory: string, timing: Partial<DirectorySourceOptions>) {
    this.source = new DirectorySource({
      directory,
      quietMs: 20,
      limitMs: 200,
      // Far away, so that what is tested are the events.
      pollMs: 3_600_000,
      onSnapshot: (snapshot) => {
        this.snapshots.push(snapshot);
        this.#onSnapshot?.();
      },
      onWatchRefused: (path) => this.refusals.push(path),
      ...timing,
    });
  }

  static async start(directory: string, timing: Partial<DirectorySourceOptions> = {}): Promise<Watched> {
    const watched = new Watched(directory, timing);
    await watched.source.start();
    return watched;
  }

  get last(): Snapshot | undefined {
    return this.snapshots.at(-1);
  }

  /** Resolves with the first snapshot, the last one included, that satisfies the predicate. */
  async until(predicate: (snapshot: Snapshot) => boolean): Promise<Snapshot> {
    for (;;) {
      const { last } = this;
      if (last !== undefined && predicate(last)) return last;
      await this.next();
    }
  }

  /** Resolves with the next snapshot. */
  async next(): Promise<Snapshot> {
    await new Promise<void>((resolve) => (this.#onSnapshot = resolve));
    return this.last as Snapshot;
  }

  /** Resolves once the texts are these, in this order. */
  async untilTexts(...texts: string[]): Promise<Snapshot> {
    return await this.until(
      (snapshot) => JSON.stringify(snapshot.texts.map(({ text }) => text)) === JSON.stringify(texts),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.source.close();
  }
}
