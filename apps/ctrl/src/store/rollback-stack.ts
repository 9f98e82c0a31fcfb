// The versions that may become current again: few, because each holds a whole table.
import type { Diagnostic, SourceText } from "@sluice/core/model";
import type { EncodedTable } from "@sluice/core/wire";

/** What a table was compiled from. */
export interface Inputs {
  /** Of the directory. */
  readonly texts: readonly SourceText[];
  /** `file:line` of every resource that they declare. */
  readonly declared: ReadonlyMap<string, string>;
  /** The stored version that is in it. */
  readonly number: number;
}

/** A version that was published. */
export interface Candidate {
  readonly table: EncodedTable;
  readonly inputs: Inputs;
  readonly inputDigest: string;
  readonly diagnostics: readonly Diagnostic[];
  readonly source: string;
}

/** Published versions that no edge has answered for yet: an edge that is slow to answer is offered only the latest, so a few are plenty. */
const maxUnconfirmed = 4;
/** The version served everywhere, and one to go back to when an edge that comes later cannot serve it. */
const maxConfirmed = 2;

/** Oldest first. */
export class RollbackStack {
  #candidates: { readonly candidate: Candidate; isConfirmed: boolean }[] = [];

  push(candidate: Candidate): void {
    // Published again: what was known about it is not, and it is the newest.
    this.remove(candidate.table.version);
    this.#candidates.push({ candidate, isConfirmed: false });
    this.#trim(false, maxUnconfirmed);
  }

  /** The same table was compiled from something else. */
  replace(candidate: Candidate): void {
    for (const [index, entry] of this.#candidates.entries()) {
      if (entry.candidate.table.version === candidate.table.version) this.#candidates[index] = { ...entry, candidate };
    }
  }

  find(version: string): Candidate | null {
    return this.#candidates.find(({ candidate }) => candidate.table.version === version)?.candidate ?? null;
  }

  confirm(version: string): void {
    for (const entry of this.#candidates) if (entry.candidate.table.version === version) entry.isConfirmed = true;
    this.#trim(true, maxConfirmed);
  }

  remove(version: string): void {
    this.#candidates = this.#candidates.filter(({ candidate }) => candidate.table.version !== version);
  }

  latestConfirmedBut(version: string): Candidate | null {
    const found = this.#candidates.findLast(
      ({ candidate, isConfirmed }) => isConfirmed && candidate.table.version !== version,
    );
    return found?.candidate ?? null;
  }

  #trim(isConfirmed: boolean, max: number): void {
    let excess = this.#candidates.filter((entry) => entry.isConfirmed === isConfirmed).length - max;
    this.#candidates = this.#candidates.filter((entry) => entry.isConfirmed !== isConfirmed || excess-- <= 0);
  }
}
