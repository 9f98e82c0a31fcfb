// `headers` of rules and destinations: which headers may be changed, and to what (istio-semantics 2.5 and 2.11).
import type { FieldPath, HeaderRuleOperations, HeaderRules, HttpRule } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { checkHeaderValue } from "./header-values.ts";
import { headerToken } from "./named-matches.ts";
import type { Reporter } from "./reporter.ts";
import { checkAuthorityText } from "./uri-texts.ts";

/** `path` is that of the rule or destination. */
export function checkHeaderRules(headers: HeaderRules | undefined, path: FieldPath, reporter: Reporter): void {
  for (const side of ["request", "response"] as const) {
    const operations = headers?.[side];
    if (operations !== undefined) checkOperations(operations, [...path, "headers", side], side, reporter);
  }
}

function checkOperations(
  operations: HeaderRuleOperations,
  path: FieldPath,
  side: "request" | "response",
  reporter: Reporter,
): void {
  for (const kind of ["set", "add"] as const) {
    const seen = new Set<string>();
    for (const [name, value] of Object.entries(operations[kind] ?? {})) {
      const at = [...path, kind, name];
      const isRewrite = side === "request" && isAuthority(name);
      if (!isRewrite && !checkName(name, at, side, reporter)) continue;
      if (seen.has(name.toLowerCase())) {
        const message = `${quote(name)} stands here twice: header names have no case`;
        reporter.error({ code: "invalid-header-name", path: at, message, hint: "Keep one of the two." });
      }
      seen.add(name.toLowerCase());
      // The authority is rewritten as it stands; Envoy fills in no operators there.
      if (isRewrite) checkAuthorityText(value, at, reporter);
      else checkHeaderValue(value, at, reporter);
    }
  }
  for (const [index, name] of (operations.remove ?? []).entries()) {
    checkName(name, [...path, "remove", index], side, reporter);
  }
}

// How a message is framed and how long a connection lives is between two neighbours. A configuration that could set these would let a body
// be read as the next request (request smuggling).
const framingHeaders: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function checkName(name: string, path: FieldPath, side: "request" | "response", reporter: Reporter): boolean {
  const problem = nameProblem(name, side);
  if (problem === null) return true;
  reporter.error({ code: "invalid-header-name", path, ...problem });
  return false;
}

function nameProblem(name: string, side: string): { readonly message: string; readonly hint?: string } | null {
  if (name === "") return { message: "the name of a header must not be empty" };
  if (isAuthority(name)) {
    const hint = side === "request" ? "Write rewrite.authority to change it." : undefined;
    return { message: `${quote(name)} cannot be changed here`, ...(hint === undefined ? {} : { hint }) };
  }
  if (name.startsWith(":")) {
    return { message: `${quote(name)} is no header`, hint: "Write rewrite.uri to change the path." };
  }
  if (!headerToken.test(name)) return { message: `${quote(name)} cannot be the name of a header` };
  if (!framingHeaders.has(name.toLowerCase())) return null;
  return {
    message: `${quote(name)} cannot be changed: it says how the message is sent, not what it is`,
    hint: "Remove it; Sluice writes this header itself.",
  };
}

function isAuthority(name: string): boolean {
  const lowered = name.toLowerCase();
  return lowered === "host" || lowered === ":authority";
}

/** Istio's rule: one place says what the authority becomes. */
export function checkAuthorityOnce({ rewrite, headers }: HttpRule, path: FieldPath, reporter: Reporter): void {
  let first = rewrite?.authority === undefined || rewrite.authority === "" ? null : "rewrite.authority";
  for (const kind of ["set", "add"] as const) {
    for (const name of Object.keys(headers?.request?.[kind] ?? {}).filter(isAuthority)) {
      const field = `headers.request.${kind}`;
      if (first !== null) {
        const message = `the authority is already rewritten by ${first}`;
        const at = [...path, "headers", "request", kind, name];
        reporter.error({ code: "conflicting-fields", path: at, message, hint: "Keep one of the two." });
      }
      first = field;
    }
  }
}
