// From a case's text to checked resources. A case whose input has errors fails: it would test less than it says.
import type { Diagnostic, ResourceSet } from "../../packages/core/src/model/index.ts";
import { parseSources } from "../../packages/core/src/parse/index.ts";
import { checkReferences, validateDocuments } from "../../packages/core/src/validate/index.ts";

export interface CheckedText {
  readonly resources: ResourceSet;
  /** Of reading, validating and the look at references, in that order. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Everything that is found before compiling. */
export function checkText(file: string, text: string, gatewayNamespace: string): CheckedText {
  const { documents, diagnostics } = parseSources([{ file, text }], { defaultNamespace: "default" });
  const validated = validateDocuments(documents);
  const references = checkReferences(validated.resources, { documents, gatewayNamespace });
  return { resources: validated.resources, diagnostics: [...diagnostics, ...validated.diagnostics, ...references] };
}

export function loadResources(file: string, text: string): ResourceSet {
  const { resources, diagnostics } = checkText(file, text, "istio-system");
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return resources;
  throw new Error(errors.map(({ line, column, message }) => `${file}:${line}:${column} ${message}`).join("\n"));
}
