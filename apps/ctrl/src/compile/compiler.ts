// Compiles in threads, so that the control plane answers its API and its edges meanwhile.
import type { SourceText } from "@sluice/core/model";
import type { EncodedTable } from "@sluice/core/wire";
import { Piscina } from "piscina";
import type { CompileJob, CompileReply } from "./compile-worker.ts";
import type { DeclaredResource, DocumentsJob, PushRead } from "./documents.ts";
import type { Origins } from "./origins.ts";
import { packSecrets, unpackTable } from "./table-transfer.ts";

/** The compiled form, wherever this runs from: threads load JavaScript. */
const workerFile = new URL("../../dist/compile/compile-worker.js", import.meta.url).href;
/** Configuration comes in bursts; between them the threads' memory is given back. */
const idleTimeoutMs = 30_000;
/** One for what is to be published, which is compiled one after the other, and one for questions meanwhile: dry runs, lists. */
const maxThreads = 2;

export interface Compiled extends Omit<CompileReply, "table"> {
  /** Null when the configuration has errors. */
  readonly table: EncodedTable | null;
}

/** What is to be compiled; the rest is the same every time. */
export type CompileRequest = Omit<Origins, "defaultNamespace">;

export interface CompilerOptions extends Pick<CompileJob, "defaultNamespace" | "baseDirectory" | "gateway"> {
  /** The table whose secrets stand in for broken ones. */
  runningTable(): EncodedTable | null;
}

/** Every method rejects when the thread died or the compiler threw (a bug, or memory that ran out), and when it is closed meanwhile. */
export class Compiler {
  readonly #options: CompilerOptions;
  readonly #pool = new Piscina({ filename: workerFile, minThreads: 0, maxThreads, idleTimeout: idleTimeoutMs });

  constructor(options: CompilerOptions) {
    this.#options = options;
  }

  async compile(request: CompileRequest): Promise<Compiled> {
    const { defaultNamespace, baseDirectory, gateway } = this.#options;
    const running = this.#options.runningTable();
    const previousSecrets = running === null ? null : packSecrets(running);
    const job: CompileJob = { ...request, defaultNamespace, baseDirectory, gateway, previousSecrets };
    const { table, ...reply } = (await this.#pool.run(job)) as CompileReply;
    return { ...reply, table: table === null ? null : unpackTable(table) };
  }

  /** The resources in the text of a push, not checked yet. */
  async readPush(text: SourceText, defaultNamespace: string): Promise<PushRead> {
    const job: DocumentsJob = { texts: [text], defaultNamespace };
    return (await this.#pool.run(job, { name: "readPush" })) as PushRead;
  }

  /** The resources in the directory's texts, secrets redacted, by `Kind namespace/name`. */
  async readDeclared(texts: readonly SourceText[]): Promise<ReadonlyMap<string, DeclaredResource>> {
    const job: DocumentsJob = { texts, defaultNamespace: this.#options.defaultNamespace };
    return (await this.#pool.run(job, { name: "readDeclared" })) as ReadonlyMap<string, DeclaredResource>;
  }

  /** Waits for nothing: what is being compiled is dropped. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
