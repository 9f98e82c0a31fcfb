// parse: texts in, documents and diagnostics out. A broken document never hides another one: everything wrong is reported at once.
import { type Diagnostic, describeDocument, formatPath, type SourceDocument, type SourceText } from "../model/index.ts";
import type { ParseCode } from "./codes.ts";
import { type Finding, toDiagnostic } from "./finding.ts";
import { identify } from "./identify.ts";
import { expandList, type ListEntry } from "./list.ts";
import { readPlainValue } from "./plain-value.ts";
import { locate, subtree, YamlDocument } from "./yaml-document.ts";
import { readYaml, type YamlTree } from "./yaml-reader.ts";

export interface ParseOptions {
  /** The namespace of documents that name none. */
  readonly defaultNamespace: string;
}

export interface ParseResult {
  /** In the order they were read. */
  readonly documents: readonly SourceDocument[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads YAML and JSON texts into documents of the kinds that Sluice knows.
 *
 * Never throws: syntax errors, exceeded limits and documents without an identity become errors; documents of other kinds are
 * skipped with a warning; empty documents are skipped silently. The second document of one kind, namespace and name is an
 * error and left out.
 */
export function parseSources(sources: readonly SourceText[], options: ParseOptions): ParseResult {
  const reader = new SourceReader(options);
  for (const source of sources) reader.read(source);
  return { documents: reader.documents, diagnostics: reader.diagnostics };
}

class SourceReader {
  readonly documents: SourceDocument[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly #byIdentity = new Map<string, SourceDocument>();
  readonly #options: ParseOptions;

  constructor(options: ParseOptions) {
    this.#options = options;
  }

  read(source: SourceText): void {
    const { trees, diagnostics } = readYaml(source);
    for (const diagnostic of diagnostics) this.diagnostics.push(diagnostic);
    for (const tree of trees) this.#readTree(tree);
  }

  #readTree(tree: YamlTree): void {
    const { value, problems } = readPlainValue(tree.root);
    for (const { code, message, hint, offset, path } of problems) {
      const finding: Finding<ParseCode> = { severity: "error", code, message, hint, path: formatPath(path) };
      this.diagnostics.push(toDiagnostic(finding, tree.origin.placeAt(offset)));
    }
    if (problems.length > 0) return;
    for (const entry of expandList({ value, path: [] })) {
      const entryTree = subtree(tree, entry.path);
      if (entryTree !== null) this.#readResource(entry, entryTree);
    }
  }

  #readResource(entry: ListEntry, tree: YamlTree): void {
    const { identity, findings } = identify(entry.value, this.#options.defaultNamespace, entry.inherited);
    const resource = identity === null ? "" : describeDocument(identity);
    for (const { at, ...finding } of findings) {
      this.diagnostics.push(toDiagnostic({ ...finding, path: formatPath(at), resource }, locate(tree, at)));
    }
    if (identity === null) return;
    const document = new YamlDocument(identity, entry.value as Readonly<Record<string, unknown>>, tree);
    const first = this.#byIdentity.get(resource);
    if (first === undefined) {
      this.#byIdentity.set(resource, document);
      this.documents.push(document);
    } else this.diagnostics.push(duplicate(document, first));
  }
}

function duplicate(document: SourceDocument, first: SourceDocument): Diagnostic {
  const resource = describeDocument(document);
  const at = first.locate(["metadata", "name"]);
  const finding: Finding<ParseCode> = {
    severity: "error",
    code: "duplicate-resource",
    message: `${resource} is already defined at ${at.file}:${at.line}:${at.column}`,
    hint: "Rename or remove one of the two.",
    path: "metadata.name",
    resource,
  };
  return toDiagnostic(finding, document.locate(["metadata", "name"]));
}
