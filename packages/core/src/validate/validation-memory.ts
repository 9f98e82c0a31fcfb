// What the check of a document said, as long as the document is around. Nothing is ever taken out: what nobody uses any more goes with it.
import type { Diagnostic, Resource, SourceDocument } from "../model/index.ts";

export interface ValidatedDocument {
  readonly document: SourceDocument;
  /** Null when it has errors. */
  readonly resource: Resource<unknown> | null;
  readonly diagnostics: readonly Diagnostic[];
}

export class ValidationMemory {
  /** By the value, which stays when the document moves in its file. */
  readonly #known = new WeakMap<SourceDocument["value"], ValidatedDocument>();

  /** Null for what has to be checked. */
  recall(document: SourceDocument): ValidatedDocument | null {
    const known = this.#known.get(document.value);
    if (known === undefined) return null;
    if (known.document === document) return known;
    // Findings name lines, also in their words, so a document that has any is checked where it stands now.
    if (known.diagnostics.length > 0 || known.resource === null || !isSameIdentity(known.document, document))
      return null;
    return this.keep({ ...known, document, resource: { ...known.resource, document } });
  }

  keep(validated: ValidatedDocument): ValidatedDocument {
    this.#known.set(validated.document.value, validated);
    return validated;
  }
}

/** The value says all of these but the default namespace. */
function isSameIdentity(a: SourceDocument, b: SourceDocument): boolean {
  return a.kind === b.kind && a.apiVersion === b.apiVersion && a.namespace === b.namespace && a.name === b.name;
}
