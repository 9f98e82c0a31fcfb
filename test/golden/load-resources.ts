// From a case's text to checked resources. A case whose input has errors fails: it would test less than it says.
import type { ResourceSet } from "../../packages/core/src/model/index.ts";
import { parseSources } from "../../packages/core/src/parse/index.ts";
import { validateDocuments } from "../../packages/core/src/validate/index.ts";

export function loadResources(file: string, text: string): ResourceSet {
  const parsed = parseSources([{ file, text }], { defaultNamespace: "default" });
  const validated = validateDocuments(parsed.documents);
  const errors = [...parsed.diagnostics, ...validated.diagnostics].filter(({ severity }) => severity === "error");
  if (errors.length === 0) return validated.resources;
  throw new Error(errors.map(({ line, column, message }) => `${file}:${line}:${column} ${message}`).join("\n"));
}
