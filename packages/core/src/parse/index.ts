// parse: texts in, documents and diagnostics out. A broken document never hides another one: everything wrong is reported at once.
import { type Diagnostic, describeDocument, type SourceDocument, type SourceText } from "../model/index.ts";
import type { ParseCode } from "./codes.ts";
import { type Finding, toDiagnostic } from "./finding.ts";
import { maxDocumentsPerFile, maxFileBytes } from "./limits.ts";
import { ParseMemory } from "./parse-memory.ts";
import { cutPieces } from "./pieces.ts";

export { ParseMemory } from "./parse-memory.ts";

export interface ParseOptions {
  /** The namespace of documents that name none. */
  readonly defaultNamespace: string;
  /** Of the last call, whose unchanged documents are then the same objects; what they say is the same without. */
  readonly memory?: ParseMemory;
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
  const memory = options.memory ?? new ParseMemory();
  const reader = new SourceReader(options.defaultNamespace, memory);
  for (const source of sources) reader.read(source);
  memory.endRound();
  return { documents: reader.documents, diagnostics: reader.diagnostics };
}

class SourceReader {
  readonly documents: SourceDocument[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly #byIdentity = new Map<string, SourceDocument>();
  readonly #defaultNamespace: string;
  readonly #memory: ParseMemory;

  constructor(defaultNamespace: string, memory: ParseMemory) {
    this.#defaultNamespace = defaultNamespace;
    this.#memory = memory;
  }

  read({ file, text }: SourceText): void {
    if (Buffer.byteLength(text) > maxFileBytes) {
      return this.#refuse({ file, line: 1 }, `the file is larger than ${maxFileBytes / 1024 / 1024} MiB`);
    }
    let documentCount = 0;
    for (const { text: pieceText, linesBefore } of cutPieces(text)) {
      const piece = this.#memory.read(pieceText, { file, linesBefore, defaultNamespace: this.#defaultNamespace });
      documentCount += piece.content.documentCount;
      if (documentCount > maxDocumentsPerFile) {
        return this.#refuse(
          { file, line: linesBefore + 1 },
          `the file holds more than ${maxDocumentsPerFile} documents`,
        );
      }
      for (const diagnostic of piece.diagnostics) this.diagnostics.push(diagnostic);
      for (const document of piece.documents) this.#add(document);
    }
  }

  #add(document: SourceDocument): void {
    const resource = describeDocument(document);
    const first = this.#byIdentity.get(resource);
    if (first === undefined) {
      this.#byIdentity.set(resource, document);
      this.documents.push(document);
    } else this.diagnostics.push(duplicate(document, first));
  }

  #refuse({ file, line }: { readonly file: string; readonly line: number }, message: string): void {
    const hint = "Divide it into several files.";
    const finding: Finding<ParseCode> = { severity: "error", code: "file-too-large", message, hint };
    this.diagnostics.push(toDiagnostic(finding, { file, line, column: 1 }));
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
