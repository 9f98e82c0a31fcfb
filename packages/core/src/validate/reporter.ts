// Collects what is wrong with one document. Places are only looked up for what is reported.
import { type Diagnostic, describeDocument, type FieldPath, formatPath, type SourceDocument } from "../model/index.ts";
import { toDiagnostic } from "../parse/finding.ts";
import type { DiagnosticCode } from "./codes.ts";

export interface Complaint {
  readonly code: DiagnosticCode;
  readonly path: FieldPath;
  readonly message: string;
  readonly hint?: string | undefined;
}

export class Reporter {
  readonly document: SourceDocument;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #incomplete = new Set<string>();
  #hasErrors = false;

  constructor(document: SourceDocument) {
    this.document = document;
  }

  error(complaint: Complaint): void {
    this.#hasErrors = true;
    this.#report("error", complaint);
  }

  warning(complaint: Complaint): void {
    this.#report("warning", complaint);
  }

  /** True when the document must not be used. */
  get hasErrors(): boolean {
    return this.#hasErrors;
  }

  /**
   * Notes that the object at `path` lost a field which was already reported. What the rules then miss in that object
   * ("has no route") would be an echo, so it is kept back.
   */
  markIncomplete(path: FieldPath): void {
    this.#incomplete.add(formatPath(path));
  }

  /** True when rules that compare objects with each other would compare what nobody wrote. */
  get isIncomplete(): boolean {
    return this.#incomplete.size > 0;
  }

  /** Everything reported, in the order of the file. */
  diagnostics(): readonly Diagnostic[] {
    return this.#diagnostics.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }

  #report(severity: Diagnostic["severity"], { code, path, message, hint }: Complaint): void {
    const text = formatPath(path);
    if (this.#incomplete.has(text)) return;
    const resource = describeDocument(this.document);
    const finding = { severity, code, message, hint, path: text, resource };
    this.#diagnostics.push(toDiagnostic(finding, this.document.locate(path)));
  }
}
