// What the tests of reading and validating share: a text in, its findings out as lines of text.
import type { Diagnostic, ResourceSet } from "../../src/model/index.ts";
import { parseSources } from "../../src/parse/index.ts";
import { checkReferences, validateDocuments } from "../../src/validate/index.ts";

export interface Checked {
  readonly resources: ResourceSet;
  /** Of parse, validate and references, in that order. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads one file, `c.yaml`, in the namespace `default`. */
export function check(text: string): Checked {
  const { documents, diagnostics } = parseSources([{ file: "c.yaml", text }], { defaultNamespace: "default" });
  const validated = validateDocuments(documents);
  const references = checkReferences(validated.resources, { documents, gatewayNamespace: "edge" });
  return {
    resources: validated.resources,
    diagnostics: [...diagnostics, ...validated.diagnostics, ...references],
  };
}

const referenceCodes = new Set(["unknown-gateway", "unknown-host", "not-on-gateway"]);

/** `c.yaml:3:5 error code path: message (hint)`, without warnings about what the small text refers to. */
export function findings(text: string): string[] {
  return check(text)
    .diagnostics.filter(({ code }) => !referenceCodes.has(code))
    .map(toLine);
}

/** As `findings`, without the words: `3:5 error code path`. */
export function codes(text: string): string[] {
  return check(text)
    .diagnostics.filter(({ code }) => !referenceCodes.has(code))
    .map(({ line, column, severity, code, path }) => `${line}:${column} ${severity} ${code} ${path}`);
}

export function toLine(diagnostic: Diagnostic): string {
  const { file, line, column, severity, code, path, message, hint } = diagnostic;
  const words = hint === undefined ? message : `${message} (${hint})`;
  return `${file}:${line}:${column} ${severity} ${code} ${path}: ${words}`;
}

/** A document of Istio's with `spec` given as lines that start on line 5. */
export function istio(kind: string, spec: string): string {
  return `apiVersion: networking.istio.io/v1\nkind: ${kind}\nmetadata: {name: it, namespace: shop}\nspec:\n${spec}`;
}
