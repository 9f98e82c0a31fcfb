// The second look at a document that its schema refused: respells snake_case keys, takes null as absent, and drops and reports
// every field that the schema does not know. Correct documents never come here, so the schemas stay strict and the usual path fast.
import type { z } from "zod";
import type { FieldPath } from "../model/index.ts";
import { isRecord, quote } from "../parse/finding.ts";
import { didYouMean } from "../parse/near-miss.ts";
import { toCamelCase } from "../parse/spelling.ts";
import type { Reporter } from "./reporter.ts";
import { elementSchema, isStrict, objectShape } from "./schema-walk.ts";
import { fieldsInTable, type SupportTable, toPattern } from "./support-table.ts";

/** Returns the value as the schema should see it. What it dropped with an error is marked in the reporter. */
export function tidy(schema: z.core.$ZodType, value: unknown, table: SupportTable, reporter: Reporter): unknown {
  return new Tidier(table, reporter).tidy(schema, value, []);
}

type Shape = Readonly<Record<string, z.core.$ZodType>>;

interface ExpectedFields {
  /** The fields of the schema. */
  readonly shape: Shape;
  /** Those of the support table as well. */
  readonly known: ReadonlySet<string>;
}

class Tidier {
  readonly #table: SupportTable;
  readonly #reporter: Reporter;

  constructor(table: SupportTable, reporter: Reporter) {
    this.#table = table;
    this.#reporter = reporter;
  }

  tidy(schema: z.core.$ZodType | null, value: unknown, path: FieldPath): unknown {
    if (schema === null) return value;
    const shape = objectShape(schema);
    if (shape !== null) return isRecord(value) ? this.#tidyObject(schema, shape, value, path) : value;
    const element = elementSchema(schema);
    if (element === null) return value;
    if (Array.isArray(value)) return value.map((entry, index) => this.tidy(element, entry, [...path, index]));
    if (!isRecord(value)) return value;
    const entries = Object.entries(value).map(([key, entry]) => [key, this.tidy(element, entry, [...path, key])]);
    return Object.fromEntries(entries);
  }

  #tidyObject(
    schema: z.core.$ZodType,
    shape: Shape,
    value: Readonly<Record<string, unknown>>,
    path: FieldPath,
  ): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    const known = new Set([...Object.keys(shape), ...fieldsInTable(this.#table, toPattern(path))]);
    for (const [written, entry] of Object.entries(value)) {
      if (entry === null) continue;
      const key = isStrict(schema) ? respell(written, known) : written;
      if (key !== written && Object.hasOwn(value, key)) {
        this.#reportBothSpellings(written, key, path);
        continue;
      }
      const inner = Object.hasOwn(shape, key) ? (shape[key] ?? null) : null;
      if (inner !== null) result[key] = this.tidy(inner, entry, [...path, key]);
      else if (!isStrict(schema)) result[key] = entry;
      else this.#reportExtra([...path, key], entry, { shape, known });
    }
    return result;
  }

  #reportExtra(path: FieldPath, value: unknown, { shape, known }: ExpectedFields): void {
    const pattern = toPattern(path);
    const { refusedFields, ignoredFields } = this.#table;
    const key = String(path.at(-1));
    if (Object.hasOwn(ignoredFields, pattern)) {
      const message = `${quote(key)} has no effect here and is ignored`;
      this.#reporter.warning({ code: "ignored-field", path, message, hint: ignoredFields[pattern] });
    } else if (Object.hasOwn(refusedFields, pattern)) {
      // protobuf cannot tell these from an absent field, so whoever writes them asks for nothing.
      if (value === "" || value === false || (Array.isArray(value) && value.length === 0)) return;
      const message = `${quote(key)} is not supported yet (${refusedFields[pattern]})`;
      const hint = "Sluice refuses the resource rather than serve it as if the field were not there. Remove the field.";
      this.#reporter.error({ code: "unsupported-field", path, message, hint });
      this.#reporter.markIncomplete(path.slice(0, -1));
    } else {
      const hint = didYouMean(key, known) ?? `Known here: ${Object.keys(shape).join(", ")}.`;
      this.#reporter.error({ code: "unknown-field", path, message: `there is no field ${quote(key)} here`, hint });
      this.#reporter.markIncomplete(path.slice(0, -1));
    }
  }

  #reportBothSpellings(written: string, key: string, path: FieldPath): void {
    const message = `${quote(written)} and ${quote(key)} are two spellings of one field`;
    this.#reporter.error({
      code: "duplicate-field",
      path: [...path, written],
      message,
      hint: `Keep ${quote(key)} only.`,
    });
  }
}

function respell(key: string, known: ReadonlySet<string>): string {
  if (known.has(key) || !key.includes("_")) return key;
  const camelCase = toCamelCase(key);
  return known.has(camelCase) ? camelCase : key;
}
