// sluice.yaml: text in, settings or diagnostics out. Pure; the programs read the file and resolve its paths.
import { closest } from "fastest-levenshtein";
import { LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { type Diagnostic, formatPath } from "../model/index.ts";
import { type Settings, settingsSchema } from "./schema.ts";

export { parseAddress, toHttpUrl } from "./address.ts";
export { isLoopback, isLoopbackAuthority } from "./loopback.ts";
export { type ControlSocket, controlSocket, resolveSettings } from "./paths.ts";
export { socketDirectoryProblem, stateDirectoryProblem } from "./private-directory.ts";
export type { Settings } from "./schema.ts";

/** The settings of a missing or empty file. */
export function defaultSettings(): Settings {
  return settingsSchema.parse({});
}

/** The first problem of settings that a program put together, as one line; null when they could stand in a file. */
export function validateSettings(settings: Settings): string | null {
  const result = settingsSchema.safeParse(settings);
  const [issue] = result.success ? [] : result.error.issues;
  return issue === undefined ? null : `${issue.path.join(".")} ${issue.message}`;
}

/** Reads sluice.yaml. Settings are null when any diagnostic is an error. */
export function parseSettings(file: string, text: string): { settings: Settings | null; diagnostics: Diagnostic[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const error = (finding: Omit<Finding, "path"> & { readonly path: string }, offset: number): Diagnostic => ({
    severity: "error",
    ...finding,
    file,
    ...at(offset),
    resource: "",
  });
  if (document.errors.length > 0) {
    return {
      settings: null,
      diagnostics: document.errors.map((problem) =>
        error({ code: "yaml-syntax", message: problem.message, path: "" }, problem.pos[0]),
      ),
    };
  }
  const result = settingsSchema.safeParse(document.toJS({ maxAliasCount: 100 }) ?? {});
  if (result.success) return { settings: result.data, diagnostics: [] };
  const offsetOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length > 0; length--) {
      const node: unknown = document.getIn(path.slice(0, length), true);
      if (hasRange(node)) return node.range[0];
    }
    return 0;
  };
  const diagnostics = result.error.issues.flatMap((issue) =>
    describeIssue(issue).map((finding) => {
      const path = formatPath(finding.path.map((step) => (typeof step === "number" ? step : String(step))));
      return error({ ...finding, path }, offsetOf(finding.path));
    }),
  );
  return { settings: null, diagnostics };
}

interface Finding {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly path: readonly PropertyKey[];
}

function describeIssue(issue: z.core.$ZodIssue): Finding[] {
  if (issue.code !== "unrecognized_keys")
    return [{ code: "invalid-setting", message: issue.message, path: issue.path }];
  const known = knownKeys(issue.path);
  return issue.keys.map((key) => ({
    code: "unknown-setting",
    message: `there is no setting "${key}" here`,
    path: [...issue.path, key],
    ...(known.length === 0 ? {} : { hint: `Did you mean "${closest(key, known)}"? Known here: ${known.join(", ")}.` }),
  }));
}

function knownKeys(path: readonly PropertyKey[]): string[] {
  let level: unknown = defaultSettings();
  for (const step of path) level = isRecord(level) ? level[String(step)] : undefined;
  return isRecord(level) ? Object.keys(level) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasRange(node: unknown): node is { range: [number, number, number] } {
  return isRecord(node) && Array.isArray(node["range"]);
}
