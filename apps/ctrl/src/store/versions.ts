// The ordered history of what was tried and what is live. One table is current, or none; a refused one never comes back by itself.
import type { Diagnostic } from "@sluice/core/model";
import type { EncodedTable } from "@sluice/core/wire";
import { countFindings, type FindingCounts } from "./finding-counts.ts";
import { type Candidate, RollbackStack } from "./rollback-stack.ts";

const maxHistory = 100;

/** What came out of one reading of the sources. */
export interface Attempt {
  readonly atMs: number;
  readonly diagnostics: readonly Diagnostic[];
  /** Null when the configuration has errors. */
  readonly table: EncodedTable | null;
  /** Digest of everything that was read. A version that edges refused is tried again only when this differs. */
  readonly inputDigest: string;
  /** Where it was read from. */
  readonly source: string;
}

/** What became of an attempt: `repeat` changed nothing, `withheld` is a version that edges refused already. */
export type Outcome = "published" | "repeat" | "invalid" | "withheld";

export interface LastAttempt {
  readonly atMs: number;
  readonly outcome: Outcome;
  readonly diagnostics: readonly Diagnostic[];
  readonly version: string | null;
}

/** A line of the history. A version that was rolled back to has a second line. */
export interface VersionEntry extends FindingCounts {
  readonly version: string;
  readonly sinceMs: number;
  readonly source: string;
  readonly state: "current" | "superseded" | "refused";
  /** Why it was refused; empty when it was not. */
  readonly reason: string;
}

/** Holds the versions in memory; the edges keep the last good table on disk. */
export class VersionStore {
  readonly #history: VersionEntry[] = [];
  readonly #refusedInputs = new Map<string, string>();
  readonly #listeners: ((table: EncodedTable | null) => void)[] = [];
  readonly #stack = new RollbackStack();
  #current: (Candidate & { readonly sinceMs: number }) | null = null;
  #lastAttempt: LastAttempt | null = null;

  /** Called whenever the current table changes, with the new one, and when an attempt failed while there is none. */
  onChange(listener: (table: EncodedTable | null) => void): void {
    this.#listeners.push(listener);
  }

  get current(): { readonly table: EncodedTable; readonly sinceMs: number } | null {
    return this.#current;
  }

  get lastAttempt(): LastAttempt | null {
    return this.#lastAttempt;
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
    const { atMs, diagnostics, table } = attempt;
    const outcome = this.#judge(attempt);
    this.#lastAttempt = { atMs, outcome, diagnostics, version: table?.version ?? null };
    if (outcome === "published" && table !== null) {
      // Something new is worth a new trial of everything: what an edge refused may have been the circumstances.
      this.#refusedInputs.clear();
      this.#settle("current", { state: "superseded", reason: "" });
      this.#stack.push({ ...attempt, table });
      this.#makeCurrent({ ...attempt, table }, atMs);
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
    const refused = this.#current;
    if (refused === null || refused.table.version !== version) {
      this.#stack.remove(version);
      return false;
    }
    this.#settle("current", { state: "refused", reason });
    const back = this.#stack.latestConfirmedBut(version);
    if (back === null) return false;
    this.#stack.remove(version);
    this.#refusedInputs.set(version, refused.inputDigest);
    this.#makeCurrent({ ...back, source: `rollback of ${version}` }, atMs);
    return true;
  }

  #judge({ table, inputDigest }: Attempt): Outcome {
    if (table === null) return "invalid";
    if (this.#current?.table.version === table.version) return "repeat";
    return this.#refusedInputs.get(table.version) === inputDigest ? "withheld" : "published";
  }

  #makeCurrent(candidate: Candidate, sinceMs: number): void {
    this.#current = { ...candidate, sinceMs };
    this.#history.unshift({
      version: candidate.table.version,
      sinceMs,
      source: candidate.source,
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

  #emit(): void {
    for (const listener of this.#listeners) listener(this.#current?.table ?? null);
  }
}
