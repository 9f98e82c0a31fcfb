// What directory, pushes and refusals share: the compiler, the store, the tables, and the one line in which they take turns. Everything that
// may change what runs is done in a turn: read, compile, store, publish, so that each is made on what the one before left.
import type { SourceText } from "@sluice/core/model";
import type { Compiled, Compiler } from "../compile/compiler.ts";
import type { ResourceStore } from "../store/resource-store.ts";
import { Turns } from "../store/turns.ts";
import type { Inputs, Origin, Outcome, VersionStore } from "../store/versions.ts";

export interface LiveEvents {
  /** An attempt was recorded: as `tables.lastAttempt`. */
  onRecorded(outcome: Outcome): void;
  /** Files that the compilation read beside the directory: signature by path. */
  onFiles(files: ReadonlyMap<string, string>): void;
  /** When compiling what runs now once more gives another table; null: never. */
  onRecompileAt(atMs: number | null): void;
  /** A bug, or memory that ran out; the running version stays. */
  onFailure(error: unknown): void;
}

export interface LiveParts {
  readonly compiler: Compiler;
  readonly store: ResourceStore;
  readonly tables: VersionStore;
  readonly events: LiveEvents;
}

/** What was compiled, and for whom. */
export interface Recording {
  readonly texts: readonly SourceText[];
  readonly number: number;
  readonly origin: Origin;
  /** Where it came from, in the history's words. */
  readonly source: string;
}

export class Live {
  readonly compiler: Compiler;
  readonly store: ResourceStore;
  readonly tables: VersionStore;
  readonly turns = new Turns();
  readonly #events: LiveEvents;

  constructor({ compiler, store, tables, events }: LiveParts) {
    this.compiler = compiler;
    this.store = store;
    this.tables = tables;
    this.#events = events;
  }

  /** Makes the compiled table current, where it has one and nothing speaks against it. */
  record(compiled: Compiled, { texts, number, origin, source }: Recording): Outcome {
    const { diagnostics, table, inputDigest, declared, files } = compiled;
    this.#events.onFiles(files);
    const inputs: Inputs = { texts, declared, number };
    const outcome = this.tables.record({
      atMs: Date.now(),
      diagnostics,
      table,
      inputs,
      inputDigest,
      source,
      origin,
    });
    if (outcome === "published" || outcome === "repeat") this.#events.onRecompileAt(compiled.recompileAtMs);
    this.#events.onRecorded(outcome);
    return outcome;
  }

  /** Work in a turn that nobody waits for. */
  schedule(work: () => Promise<void>): void {
    void this.turns.take(work).catch((error: unknown) => this.#events.onFailure(error));
  }
}
