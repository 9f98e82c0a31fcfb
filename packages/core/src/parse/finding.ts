// From a finding of the reader to a diagnostic: the one place that fixes the order of the printed fields.
import type { Diagnostic, Place, Severity } from "../model/index.ts";

/** A diagnostic without its place. `Code` is one of the table that the finder owns. */
export interface Finding<Code extends string> {
  readonly severity: Severity;
  readonly code: Code;
  readonly message: string;
  readonly hint?: string | undefined;
  /** Formatted field path; empty for the whole document. */
  readonly path?: string;
  readonly resource?: string;
}

export function toDiagnostic<Code extends string>(finding: Finding<Code>, place: Place): Diagnostic {
  const { severity, code, message, hint, path = "", resource = "" } = finding;
  return {
    severity,
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    file: place.file,
    line: place.line,
    column: place.column,
    path,
    resource,
  };
}

/** "a list", "a string": how messages name the type of a value, which itself may be secret. */
export function describeType(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "a map" : `a ${typeof value}`;
}

/** A value from configuration inside a message: quoted, control characters escaped, cut where it is long. */
export function quote(value: string): string {
  return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
