// Compiles snapshots in a thread, one at a time. What arrives meanwhile waits, and only the latest of it: nobody wants the others any more.
import type { Diagnostic, SourceText } from "@sluice/core/model";
import type { EncodedTable } from "@sluice/core/wire";
import { Piscina } from "piscina";
import type { CompileJob, CompileReply } from "./compile-worker.ts";
import { packSecrets, unpackTable } from "./table-transfer.ts";

/** The compiled form, wherever this runs from: threads load JavaScript. */
const workerFile = new URL("../../dist/compile/compile-worker.js", import.meta.url).href;
/** Configuration comes in bursts; between them the thread's memory is given back. */
const idleTimeoutMs = 30_000;
/** Timers cannot be longer. */
const maxTimerMs = 24 * 86_400_000;

export interface Compiled {
  /** What was compiled. */
  readonly texts: readonly SourceText[];
  readonly diagnostics: readonly Diagnostic[];
  /** Null when the configuration has errors. */
  readonly table: EncodedTable | null;
  readonly files: ReadonlyMap<string, string>;
  readonly inputDigest: string;
}

export interface CompilerOptions extends Pick<CompileJob, "defaultNamespace" | "baseDirectory" | "gateway"> {
  /** The table whose secrets stand in for broken ones. */
  runningTable(): EncodedTable | null;
  onCompiled(compiled: Compiled): void;
  /** The thread died or the compiler threw: a bug, or memory that ran out. The running version stays. */
  onFailure(error: unknown): void;
}

export class Compiler {
  readonly #options: CompilerOptions;
  readonly #pool = new Piscina({ filename: workerFile, minThreads: 0, maxThreads: 1, idleTimeout: idleTimeoutMs });
  #latest: readonly SourceText[] | null = null;
  #working: Promise<void> | null = null;
  #isClosed = false;
  /** Compiles the same once more, when a certificate that was refused becomes valid. */
  #timer: NodeJS.Timeout | null = null;

  constructor(options: CompilerOptions) {
    this.#options = options;
  }

  submit(texts: readonly SourceText[]): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#latest = texts;
    this.#working ??= this.#work().finally(() => (this.#working = null));
  }

  /** Waits for nothing: what is being compiled is dropped. */
  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#pool.destroy();
    await this.#working;
  }

  async #work(): Promise<void> {
    while (this.#latest !== null && !this.#isClosed) {
      const texts = this.#latest;
      this.#latest = null;
      try {
        const compiled = await this.#compile(texts);
        if (this.#isClosed) return;
        // The errors of a state that is over interest nobody. A table does, or changes faster than compilations would never be published.
        if (this.#latest === null || compiled.table !== null) this.#options.onCompiled(compiled);
      } catch (error) {
        if (!this.#isClosed) this.#options.onFailure(error);
      }
    }
  }

  async #compile(texts: readonly SourceText[]): Promise<Compiled> {
    const { defaultNamespace, baseDirectory, gateway } = this.#options;
    const running = this.#options.runningTable();
    const previousSecrets = running === null ? null : packSecrets(running);
    const job: CompileJob = { texts, defaultNamespace, baseDirectory, gateway, previousSecrets };
    const { table, recompileAtMs, ...reply } = (await this.#pool.run(job)) as CompileReply;
    if (recompileAtMs !== null && this.#latest === null && !this.#isClosed) this.#submitAt(recompileAtMs, texts);
    return { ...reply, texts, table: table === null ? null : unpackTable(table) };
  }

  #submitAt(atMs: number, texts: readonly SourceText[]): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    // A moment later, because the dates of certificates are whole seconds and timers may be early.
    const waitMs = Math.min(atMs - Date.now() + 10, maxTimerMs);
    this.#timer = setTimeout(() => this.submit(texts), waitMs);
  }
}
