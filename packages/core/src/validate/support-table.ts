// What Istio has and this release does not act on, one declarative table a kind. Supporting a field means deleting its row here
// and adding it to the schema.
import type { FieldPath } from "../model/index.ts";

/** Rows by field pattern from the document's root, `spec.http[].redirect`; the text says what the field is or why it is harmless. */
export interface SupportTable {
  /** Refused with `unsupported-field`: serving the rest without it would send traffic elsewhere or protect less. */
  readonly refusedFields: Readonly<Record<string, string>>;
  /** Dropped with a warning `ignored-field`: acting on it could not change anything here. */
  readonly ignoredFields: Readonly<Record<string, string>>;
  /** Refused with `unsupported-value`: by field pattern, then value. */
  readonly refusedValues: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export const emptySupportTable: SupportTable = { refusedFields: {}, ignoredFields: {}, refusedValues: {} };

/** `["spec", "http", 0, "route"]` → `spec.http[].route`, the form the tables are written in. */
export function toPattern(path: FieldPath): string {
  let pattern = "";
  for (const step of path) {
    if (typeof step === "number") pattern += "[]";
    else pattern += pattern === "" ? step : `.${step}`;
  }
  return pattern;
}

/** Names of the fields that the table holds directly inside the object at `pattern`. */
export function fieldsInTable(table: SupportTable, pattern: string): string[] {
  const prefix = pattern === "" ? "" : `${pattern}.`;
  return [...Object.keys(table.refusedFields), ...Object.keys(table.ignoredFields)]
    .filter((field) => field.startsWith(prefix) && !/[.[]/.test(field.slice(prefix.length)))
    .map((field) => field.slice(prefix.length));
}
