// `corsPolicy` of a rule (istio-semantics 2.5 and 2.11).
import { type CorsPolicySpec, type FieldPath, parseDurationMs } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { didYouMean } from "../parse/near-miss.ts";
import { checkDuration } from "./policy-durations.ts";
import { checkFieldText } from "./header-values.ts";
import { headerToken } from "./named-matches.ts";
import type { Reporter } from "./reporter.ts";
import { checkStringMatch } from "./string-match.ts";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"];

export function checkCors(policy: CorsPolicySpec, path: FieldPath, reporter: Reporter): void {
  for (const [index, origin] of (policy.allowOrigins ?? []).entries()) {
    checkStringMatch(origin, [...path, "allowOrigins", index], { isNamed: false }, reporter);
  }
  checkOldOrigins(policy, path, reporter);
  for (const [index, method] of (policy.allowMethods ?? []).entries()) {
    if (methods.includes(method)) continue;
    const message = `${quote(method)} is no HTTP method`;
    const hint = didYouMean(method, methods) ?? `Write one of ${methods.join(", ")}.`;
    reporter.error({ code: "invalid-value", path: [...path, "allowMethods", index], message, hint });
  }
  for (const field of ["allowHeaders", "exposeHeaders"] as const) {
    for (const [index, name] of (policy[field] ?? []).entries()) {
      if (headerToken.test(name)) continue;
      const message = `${quote(name)} cannot be the name of a header`;
      reporter.error({ code: "invalid-header-name", path: [...path, field, index], message });
    }
  }
  checkMaxAge(policy.maxAge, [...path, "maxAge"], reporter);
}

function checkOldOrigins(
  { allowOrigin = [], allowOrigins = [] }: CorsPolicySpec,
  path: FieldPath,
  reporter: Reporter,
): void {
  if (allowOrigin.length === 0) return;
  const at = [...path, "allowOrigin"];
  const hint = `Write allowOrigins: [{exact: ${quote(allowOrigin[0] ?? "*")}}].`;
  reporter.warning({ code: "deprecated-field", path: at, message: '"allowOrigin" is an old spelling', hint });
  for (const [index, origin] of allowOrigin.entries()) checkFieldText(origin, [...at, index], reporter);
  if (allowOrigins.length === 0) return;
  const message = "allowOrigin has no effect beside allowOrigins";
  reporter.warning({ code: "ineffective-field", path: at, message });
}

/** Browsers are told in seconds. */
function checkMaxAge(maxAge: string | undefined, path: FieldPath, reporter: Reporter): void {
  if (checkDuration(maxAge, path, reporter) === null || (parseDurationMs(maxAge ?? "") ?? 0) % 1000 === 0) return;
  const message = `${quote(maxAge ?? "")} is not a whole number of seconds`;
  reporter.error({ code: "invalid-duration", path, message });
}
