// Reading JSON whose shape is known but not typed: what is not there reads as nothing.
import type { Json, JsonObject } from "./json.ts";

/** The value at the end of a path of keys. */
export function at(value: Json | undefined, ...path: readonly string[]): Json | undefined {
  let current = value;
  for (const key of path) {
    if (typeof current !== "object" || current === null || isList(current)) return undefined;
    current = current[key];
  }
  return current;
}

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}

/** The items of a list; none where there is no list. */
export function list(value: Json | undefined): readonly Json[] {
  return typeof value === "object" && value !== null && isList(value) ? value : [];
}

/** A text or number as text; empty for everything else. */
export function text(value: Json | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
