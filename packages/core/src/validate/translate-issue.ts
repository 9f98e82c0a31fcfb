// The one place where zod's findings become ours: code, path, what is wrong and what would be right.
import type { z } from "zod";
import type { FieldPath } from "../model/index.ts";
import { describeType, quote } from "../parse/finding.ts";
import { didYouMean } from "../parse/near-miss.ts";
import type { Complaint } from "./reporter.ts";
import { type SupportTable, toPattern } from "./support-table.ts";

/** Translates one issue. `value` is the document that zod saw. */
export function translateIssue(issue: z.core.$ZodIssue, value: unknown, support: SupportTable): Complaint {
  const path = issue.path.map((step) => (typeof step === "number" ? step : String(step)));
  const found = valueAt(value, path);
  if (found === undefined) return missing(path);
  switch (issue.code) {
    case "invalid_type":
      return wrongType(path, issue.expected, found);
    case "invalid_value":
      return invalidValue(path, found, issue.values.map(String), support);
    case "too_small":
      return tooSmall(path, issue, found);
    case "too_big":
      return tooBig(path, issue, found);
    case "invalid_union":
      return wrongType(path, "union", found);
    // Not asked for by any schema here; `tidy` has dealt with unknown keys.
    case "custom":
    case "invalid_element":
    case "invalid_format":
    case "invalid_key":
    case "not_multiple_of":
    case "unrecognized_keys":
      return { code: "invalid-value", path, message: issue.message };
  }
}

function missing(path: FieldPath): Complaint {
  return { code: "missing-field", path, message: `${quote(String(path.at(-1)))} is missing` };
}

const typeNames: Readonly<Record<string, string>> = {
  array: "a list",
  object: "a map",
  record: "a map",
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  union: "a number or a string",
};

function wrongType(path: FieldPath, expected: string, found: unknown): Complaint {
  const isFraction = expected === "int" && typeof found === "number";
  const what = isFraction ? String(found) : describeType(found);
  const message = `expected ${typeNames[expected] ?? expected}, found ${what}`;
  return { code: "wrong-type", path, message, hint: typeHint(path, expected, found) };
}

function typeHint(path: FieldPath, expected: string, found: unknown): string | undefined {
  const isText = typeof found === "string";
  switch (expected) {
    case "array":
      return "Write it as a list: start each entry with `- `.";
    case "object":
    case "record":
      if (Array.isArray(found)) return "Remove the `- ` in front.";
      return path.at(-1) === "port" ? 'Write "number: 80" (the port) inside it.' : undefined;
    case "string":
      return typeof found === "number" || typeof found === "boolean" ? "Put it in quotes." : undefined;
    case "int":
    case "number":
      return isText && /^-?\d+$/.test(found) ? "Remove the quotes." : undefined;
    case "boolean":
      return isText && /^(?:yes|no|on|off|true|false|y|n)$/i.test(found)
        ? "Write true or false, without quotes."
        : undefined;
    default:
      return undefined;
  }
}

function invalidValue(path: FieldPath, found: unknown, allowed: readonly string[], support: SupportTable): Complaint {
  if (typeof found !== "string") return wrongType(path, "string", found);
  const refused = support.refusedValues[toPattern(path)] ?? {};
  const name = Object.keys(refused).find((value) => value === found || value === found.toUpperCase());
  if (name !== undefined) {
    return { code: "unsupported-value", path, message: `${quote(found)} is not supported`, hint: refused[name] };
  }
  const hint = didYouMean(found, allowed) ?? `Write one of ${allowed.join(", ")}.`;
  return { code: "invalid-value", path, message: `${quote(found)} is not a value of this field`, hint };
}

function tooSmall(path: FieldPath, issue: z.core.$ZodIssueTooSmall, found: unknown): Complaint {
  if (issue.origin === "array") return { code: "empty-list", path, message: "the list needs at least one entry" };
  if (issue.origin === "string") return { code: "empty-value", path, message: "the text must not be empty" };
  return { code: "out-of-range", path, message: `must be at least ${issue.minimum}; found ${String(found)}` };
}

function tooBig(path: FieldPath, issue: z.core.$ZodIssueTooBig, found: unknown): Complaint {
  if (issue.origin === "array") {
    return { code: "too-many-entries", path, message: `the list may have at most ${issue.maximum} entries` };
  }
  if (issue.origin === "string") {
    return { code: "out-of-range", path, message: `the text may have at most ${issue.maximum} characters` };
  }
  return { code: "out-of-range", path, message: `must be at most ${issue.maximum}; found ${String(found)}` };
}

function valueAt(value: unknown, path: FieldPath): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<string | number, unknown>)[step];
  }
  return current;
}
