// Compiles in a thread that remembers, so that the control plane answers its API and its edges meanwhile, and so that a change costs what
// depends on it (docs/adr/0014). Between the threads goes what changed.
import type { SourceText } from "@sluice/core/model";
import type { EncodedTable } from "@sluice/core/wire";
import { Piscina } from "piscina";
import { type CompileJob, type CompileReply, forgotten } from "./compile-worker.ts";
import type { DeclaredResource, DocumentsJob, PushRead } from "./documents.ts";
import { diffInputs, type SentInputs } from "./inputs-delta.ts";
import type { Origins } from "./origins.ts";
import { packSecrets, unpackTable } from "./table-transfer.ts";

/** The compiled form, wherever this runs from: threads load JavaScript. */
const threadFile = (name: string) => new URL(`../../dist/compile/${name}.js`, import.meta.url).href;
/** Lists and pushes come in bursts; between them the memory of the thread that reads them is given back. */
const questionIdleMs = 30_000;

export interface Compiled extends Omit<CompileReply, "table" | "declared"> {
  /** Null when the configuration has errors. */
  readonly table: EncodedTable | null;
  /** `file:line` of every resource that the directory declares. */
  readonly declared: ReadonlyMap<string, string>;
}

/** What is to be compiled; the rest is the same every time. */
export type CompileRequest = Omit<Origins, "defaultNamespace">;

export interface CompilerOptions extends Pick<CompileJob, "defaultNamespace" | "baseDirectory" | "gateway"> {
  /** The table whose secrets stand in for broken ones. */
  runningTable(): EncodedTable | null;
}

/** What the thread was sent last, and what came back. Forgotten with any failure: the next job then tells it everything. */
interface Held {
  readonly inputs: SentInputs;
  readonly table: EncodedTable | null;
  readonly declared: ReadonlyMap<string, string>;
}

/** Every method rejects when the thread died or the compiler threw (a bug, or memory that ran out), and when it is closed meanwhile. */
export class Compiler {
  readonly #options: CompilerOptions;
  /** One, and it stays: what it remembers is most of a compilation. */
  readonly #compiling = new Piscina({
    filename: threadFile("compile-worker"),
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: Infinity,
  });
  readonly #questions = new Piscina({
    filename: threadFile("question-worker"),
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: questionIdleMs,
  });
  /** Each job says what is different from the one before, so one is made when that one is done. */
  #last: Promise<unknown> = Promise.resolve();
  #held: Held | null = null;
  #lastId = 0;

  constructor(options: CompilerOptions) {
    this.#options = options;
  }

  async compile(request: CompileRequest): Promise<Compiled> {
    const result = this.#last.then(async () => await this.#compile(request));
    this.#last = result.catch(() => {});
    return await result;
  }

  async #compile(request: CompileRequest): Promise<Compiled> {
    const held = this.#held;
    this.#held = null;
    const inputs: SentInputs = { id: ++this.#lastId, texts: request.texts, stored: request.stored ?? [] };
    const reply = await this.#run(request, inputs, held);
    if (reply === forgotten) return await this.#compile(request);
    const table = reply.table === null ? null : unpackTable(reply.table, held?.table ?? null);
    const declared = reply.declared ?? held?.declared ?? new Map<string, string>();
    this.#held = { inputs, table: table ?? held?.table ?? null, declared };
    return { ...reply, table, declared };
  }

  async #run(
    { texts: _texts, stored: _stored, ...request }: CompileRequest,
    inputs: SentInputs,
    held: Held | null,
  ): Promise<CompileReply | typeof forgotten> {
    const { defaultNamespace, baseDirectory, gateway } = this.#options;
    const running = this.#options.runningTable();
    const job: CompileJob = {
      ...request,
      inputs: diffInputs(held?.inputs ?? null, inputs),
      heldVersion: held?.table?.version ?? null,
      holdsDeclared: held !== null,
      defaultNamespace,
      baseDirectory,
      gateway,
      previousSecrets: running === null ? null : packSecrets(running),
    };
    return (await this.#compiling.run(job)) as CompileReply | typeof forgotten;
  }

  /** The resources in the text of a push, not checked yet. */
  async readPush(text: SourceText, defaultNamespace: string): Promise<PushRead> {
    const job: DocumentsJob = { texts: [text], defaultNamespace };
    return (await this.#questions.run(job, { name: "readPush" })) as PushRead;
  }

  /** The resources in the directory's texts, secrets redacted, by `Kind namespace/name`. */
  async readDeclared(texts: readonly SourceText[]): Promise<ReadonlyMap<string, DeclaredResource>> {
    const job: DocumentsJob = { texts, defaultNamespace: this.#options.defaultNamespace };
    return (await this.#questions.run(job, { name: "readDeclared" })) as ReadonlyMap<string, DeclaredResource>;
  }

  /** Waits for nothing: what is being compiled is dropped. */
  async close(): Promise<void> {
    await Promise.all([this.#compiling.destroy(), this.#questions.destroy()]);
  }
}
