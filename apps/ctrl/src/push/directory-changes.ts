// The directory's part of what runs: every snapshot of it is compiled with what is stored. Of those that come while one is compiled only the
// latest counts.
import type { Snapshot } from "../source/directory.ts";
import { emptiedFiles, filledFiles } from "../source/emptied-files.ts";
import type { Live } from "./live.ts";

export interface DirectoryChangesOptions {
  readonly live: Live;
  /** Its path, as the history names it. */
  readonly directory: string;
  /** A file could not be read, or looks half saved. */
  onUnusable(diagnostics: Snapshot["problems"]): void;
  /** Everything is gone; that may be meant. */
  onEmpty(): void;
}

export class DirectoryChanges {
  readonly #options: DirectoryChangesOptions;
  #latest: Snapshot | null = null;
  #isWaiting = false;
  #isClosed = false;

  constructor(options: DirectoryChangesOptions) {
    this.#options = options;
  }

  /** Takes a snapshot of the directory. */
  submit(snapshot: Snapshot): void {
    this.#latest = snapshot;
    this.again();
  }

  /** Compiles the latest snapshot, with what is stored by then. */
  again(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#options.live.schedule(async () => {
      this.#isWaiting = false;
      if (this.#latest !== null && !this.#isClosed) await this.#compile(this.#latest);
    });
  }

  close(): void {
    this.#isClosed = true;
  }

  async #compile({ texts, problems }: Snapshot): Promise<void> {
    const { live, directory } = this.#options;
    const running = filledFiles(live.tables.current?.inputs.texts ?? []);
    const diagnostics = [...problems, ...emptiedFiles(texts, running)];
    if (diagnostics.length > 0) return this.#options.onUnusable(diagnostics);
    const { number, resources } = await live.store.read();
    const compiled = await live.compiler.compile({ texts, stored: [...resources.values()] });
    if (this.#isClosed) return;
    // The errors of a state that is over interest nobody. A table does, or changes faster than compilations would never be published.
    if (this.#isWaiting && compiled.table === null) return;
    const outcome = live.record(compiled, { texts, number, origin: "directory", source: directory });
    const isUsed = outcome === "published" || outcome === "repeat";
    if (isUsed && running.size > 0 && filledFiles(texts).size === 0) this.#options.onEmpty();
  }
}
