// From YAML to checked resources, for tests of what comes after. Input with errors fails: it would test less than it says.
import type { ResourceSet } from "../../src/model/index.ts";
import { parseSources } from "../../src/parse/index.ts";
import { validateDocuments } from "../../src/validate/index.ts";

/** One text a file; files are named `file-0.yaml`, `file-1.yaml`, ... */
export function buildResources(...texts: readonly string[]): ResourceSet {
  const sources = texts.map((text, index) => ({ file: `file-${index}.yaml`, text }));
  const parsed = parseSources(sources, { defaultNamespace: "default" });
  const validated = validateDocuments(parsed.documents);
  const errors = [...parsed.diagnostics, ...validated.diagnostics].filter(({ severity }) => severity === "error");
  if (errors.length === 0) return validated.resources;
  throw new Error(errors.map(({ file, line, column, message }) => `${file}:${line}:${column} ${message}`).join("\n"));
}
