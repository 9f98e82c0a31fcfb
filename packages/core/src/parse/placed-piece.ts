// The documents of a piece and what is wrong with them, at the place where the piece stands.
import { type Diagnostic, describeDocument, formatPath, type SourceDocument } from "../model/index.ts";
import type { ParseCode } from "./codes.ts";
import { type Finding, toDiagnostic } from "./finding.ts";
import { identify } from "./identify.ts";
import { expandList, type ListEntry } from "./list.ts";
import type { PieceContent } from "./piece-content.ts";
import { offsetAt, type Origin, PlacedValue, placeOf, subtree, YamlDocument } from "./yaml-document.ts";

/** What decides, beside the content, what a piece says. */
export interface PiecePlace extends Origin {
  /** The namespace of documents that name none. */
  readonly defaultNamespace: string;
}

export interface PlacedPiece {
  readonly content: PieceContent;
  readonly place: PiecePlace;
  readonly documents: readonly SourceDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

export function placePiece(content: PieceContent, place: PiecePlace): PlacedPiece {
  const reader = new PieceReader(content, place);
  reader.read();
  return { content, place, documents: reader.documents, diagnostics: reader.diagnostics };
}

class PieceReader {
  readonly documents: SourceDocument[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly #content: PieceContent;
  readonly #place: PiecePlace;

  constructor(content: PieceContent, place: PiecePlace) {
    this.#content = content;
    this.#place = place;
  }

  read(): void {
    const { syntaxErrors, values } = this.#content;
    for (const { offset, ...finding } of syntaxErrors) this.#report(finding, offset);
    for (const [index, { value, problems }] of values.entries()) {
      for (const { code, message, hint, offset, path } of problems) {
        this.#report({ severity: "error", code, message, hint, path: formatPath(path) }, offset);
      }
      if (problems.length > 0) continue;
      for (const entry of expandList({ value, path: [] })) this.#readResource(entry, index);
    }
  }

  #report(finding: Finding<ParseCode>, offset: number): void {
    this.diagnostics.push(toDiagnostic(finding, placeOf(this.#content, this.#place, offset)));
  }

  #readResource(entry: ListEntry, index: number): void {
    const content = this.#content;
    const offset = this.#offsetOf(entry, index);
    if (offset === null) return;
    const placed = new PlacedValue({ content, index, path: entry.path }, this.#place, offset);
    const { identity, findings } = identify(entry.value, this.#place.defaultNamespace, entry.inherited);
    const resource = identity === null ? "" : describeDocument(identity);
    for (const { at, ...finding } of findings) {
      this.diagnostics.push(toDiagnostic({ ...finding, path: formatPath(at), resource }, placed.locate(at)));
    }
    if (identity === null) return;
    this.documents.push(new YamlDocument(identity, entry.value as Readonly<Record<string, unknown>>, placed));
  }

  /** Known without the tree, but for entries of a `List`. */
  #offsetOf({ path }: ListEntry, index: number): number | null {
    if (path.length === 0) return this.#content.values[index]?.offset ?? null;
    const tree = this.#content.treeAt(index);
    const own = tree === null ? null : subtree(tree, path);
    return own === null ? null : offsetAt(own, []);
  }
}
