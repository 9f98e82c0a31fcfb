// The ordered history of the tables that were tried, and which is live. One table is current, or none; a refused one never comes back by itself.
import type { Diagnostic } from "@sluice/core/model";
import type { EncodedTable } from "@sluice/core/wire";
import { countFindings, type FindingCounts } from "./finding-counts.ts";
import { type Candidate, type Inputs, RollbackStack } from "./rollback-stack.ts";

export type { Candidate, Inputs } from "./rollback-stack.ts";

const maxHistory = 100;
/** Tables whose place in the order is remembered: far more than any edge can be behind. */
const maxSequences = 1000;

/** Who caused a table: a file, a push here, a push through another ctrl, or an edge that refused the one before. */
export type Origin = "directory" | "push" | "store" | "rollback";

/** What came out of one compilation. */
export interface Attempt {
  readonly atMs: number;
  readonly diagnostics: readonly Diagnostic[];
  /** Null when the configuration has errors. */
  readonly table: EncodedTable | null;
  readonly inputs?: Inputs;
  /** Digest of everything that was read. A version that edges refused is tried again only when this differs. */
  readonly inputDigest: string;
  /** Where it was read from. */
  readonly source: string;
  readonly origin?: Origin;
}

/** What became of an attempt: `repeat` changed nothing, `withheld` is a version that edges refused already. */
export type Outcome = "published" | "repeat" | "invalid" | "withheld";

export interface LastAttempt {
  readonly atMs: number;
  readonly outcome: Outcome;
  readonly origin: Origin;
  readonly diagnostics: readonly Diagnostic[];
  readonly version: string | null;
}

/** A line of the history. A version that was rolled back to has a second line. */
export interface VersionEntry extends FindingCounts {
  readonly version: string;
  readonly sinceMs: number;
  readonly source: string;
  readonly origin: Origin;
  /** The stored version that is in it. */
  readonly number: number;
  readonly state: "current" | "superseded" | "refused";
  /** Why it was refused; empty when it was not. */
  readonly reason: string;
}

export interface CurrentTable extends Candidate {
  readonly sinceMs: number;
  /** Its place in the order of everything that was ever current. */
  readonly sequence: number;
}

/** An edge refused a table. */
export interface Refusal {
  readonly version: string;
  /** Who and why. */
  readonly reason: string;
  /** What the table was made from; null when that is forgotten. */
  readonly refused: Candidate | null;
  /** The last table that an edge did serve; null when there is none. */
  readonly back: Candidate | null;
}

const noInputs: Inputs = { texts: [], declared: new Map(), number: 0 };

/** Holds the tables in memory; the edges keep the last good one on disk. */
export class VersionStore {
  readonly #history: VersionEntry[] = [];
  readonly #refusedInputs = new Map<string, string>();
  readonly #listeners: ((table: EncodedTable | null) => void)[] = [];
  readonly #refusalListeners: ((refusal: Refusal) => void)[] = [];
  readonly #stack = new RollbackStack();
  readonly #sequences = new Map<string, number>();
  #sequence = 0;
  #current: CurrentTable | null = null;
  #lastAttempt: LastAttempt | null = null;

  /** Called whenever the current table changes, with the new one, and when an attempt failed while there is none. */
  onChange(listener: (table: EncodedTable | null) => void): void {
    this.#listeners.push(listener);
  }

  /** Called for every refusal, after what it changed has been told. */
  onRefused(listener: (refusal: Refusal) => void): void {
    this.#refusalListeners.push(listener);
  }

  get current(): CurrentTable | null {
    return this.#current;
  }

  get lastAttempt(): LastAttempt | null {
    return this.#lastAttempt;
  }

  /** When the version was current last, in the order of all; null when that is forgotten. */
  sequenceOf(version: string): number | null {
    return this.#sequences.get(version) ?? null;
  }

  /** Why there is nothing to serve: what is wrong with the last attempt. Null while there is a table, and before the first attempt. */
  get whyNothing(): string | null {
    if (this.#current !== null || this.#lastAttempt === null) return null;
    const { diagnostics } = this.#lastAttempt;
    const first = diagnostics.find(({ severity }) => severity === "error");
    if (first === undefined) return null;
    const { errors } = countFindings(diagnostics);
    const more = errors === 1 ? "" : ` (and ${errors - 1} more)`;
    return `${first.file}:${first.line}:${first.column} ${first.code}: ${first.message}${more}`;
  }

  /** Newest first, at most 100. */
  get history(): readonly VersionEntry[] {
    return this.#history;
  }

  /** Makes the attempt's table current, unless it has none, is current already, or was refused with the very same input. */
  record(attempt: Attempt): Outcome {
    const { atMs, diagnostics, table, inputs = noInputs, origin = "directory" } = attempt;
    const outcome = this.#judge(attempt);
    this.#lastAttempt = { atMs, outcome, origin, diagnostics, version: table?.version ?? null };
    if (outcome === "published" && table !== null) {
      // Something new is worth a new trial of everything: what an edge refused may have been the circumstances.
      this.#refusedInputs.clear();
      this.#settle("current", { state: "superseded", reason: "" });
      this.#stack.push({ ...attempt, table, inputs });
      this.#makeCurrent({ ...attempt, table, inputs }, atMs, origin);
    } else if (outcome === "repeat" && this.#current !== null) {
      this.#current = { ...this.#current, inputs, diagnostics, inputDigest: attempt.inputDigest };
      this.#stack.replace(this.#current);
      this.#renumber(inputs.number);
    } else if (this.#current === null) this.#emit();
    return outcome;
  }

  /** An edge serves this version in every worker: it is one to go back to. */
  confirm(version: string): void {
    this.#stack.confirm(version);
    if (this.#current?.table.version === version) this.#settle("refused", { state: "current", reason: "" });
  }

  /**
   * An edge cannot serve this version. When it is the current one, the last version that an edge did serve becomes current again. Where
   * there is none, it stays current: no edge is sent it twice, but one that starts later may try.
   *
   * @returns true when the current version changed
   */
  reject(version: string, reason: string, atMs = Date.now()): boolean {
    const current = this.#current;
    const refused = this.#stack.find(version);
    const back = this.#stack.latestConfirmedBut(version);
    const isCurrent = current?.table.version === version;
    if (isCurrent) this.#settle("current", { state: "refused", reason });
    if (!isCurrent || back !== null) this.#stack.remove(version);
    if (isCurrent && back !== null) {
      this.#refusedInputs.set(version, current.inputDigest);
      this.#makeCurrent({ ...back, source: `rollback of ${version}` }, atMs, "rollback");
    }
    for (const listener of this.#refusalListeners) listener({ version, reason, refused, back });
    return isCurrent && back !== null;
  }

  #judge({ table, inputDigest, origin }: Attempt): Outcome {
    if (table === null) return "invalid";
    if (this.#current?.table.version === table.version) return "repeat";
    // A push is somebody's wish of this moment, whatever became of the like before.
    if (origin === "push") return "published";
    return this.#refusedInputs.get(table.version) === inputDigest ? "withheld" : "published";
  }

  #makeCurrent(candidate: Candidate, sinceMs: number, origin: Origin): void {
    const { version } = candidate.table;
    this.#sequence++;
    this.#sequences.delete(version);
    this.#sequences.set(version, this.#sequence);
    const [oldest] = this.#sequences.keys();
    if (this.#sequences.size > maxSequences && oldest !== undefined) this.#sequences.delete(oldest);
    this.#current = { ...candidate, sinceMs, sequence: this.#sequence };
    this.#history.unshift({
      version,
      sinceMs,
      source: candidate.source,
      origin,
      number: candidate.inputs.number,
      state: "current",
      reason: "",
      ...countFindings(candidate.diagnostics),
    });
    if (this.#history.length > maxHistory) this.#history.pop();
    this.#emit();
  }

  /** The newest line is the current version's. */
  #settle(from: VersionEntry["state"], to: Pick<VersionEntry, "state" | "reason">): void {
    const [entry] = this.#history;
    if (entry?.state === from) this.#history[0] = { ...entry, ...to };
  }

  #renumber(number: number): void {
    const [entry] = this.#history;
    if (entry !== undefined) this.#history[0] = { ...entry, number };
  }

  #emit(): void {
    for (const listener of this.#listeners) listener(this.#current?.table ?? null);
  }
}
