// A finding about configuration: what is wrong, where, and what would be right. Values, never exceptions: everything that
// can be found is reported at once.

export type Severity = "error" | "warning";

/** A place in a source file. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One finding. The field order is the one printed as JSON (CONTRACT, `sluice validate`). */
export interface Diagnostic extends Place {
  readonly severity: Severity;
  /** Stable kebab-case name of the rule, e.g. `unknown-field`. */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Field path inside the document, e.g. `spec.http[0].route`; empty for the whole document. */
  readonly path: string;
  /** `Kind namespace/name`, or empty when the document has no identity. */
  readonly resource: string;
}

/** True when any finding blocks the configuration. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((diagnostic) => diagnostic.severity === "error");
}
