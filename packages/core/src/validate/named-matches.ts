// `headers`, `withoutHeaders` and `queryParams` of a match: checked, and brought to the form in which they are compared.
import type { FieldPath, HttpMatchRequest, HttpRule, NamedMatches, StringMatch } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import type { Reporter } from "./reporter.ts";
import { checkStringMatch } from "./string-match.ts";

/** RFC 9110, section 5.1: a token. */
export const headerToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const pseudoHeaders: ReadonlySet<string> = new Set([":method", ":authority", ":scheme"]);

/** Istio has fields of their own for these and skips them as header names (its HTTPMatchRequest). */
const fieldsOfTheirOwn: ReadonlySet<string> = new Set(["uri", "scheme", "method", "authority"]);

/** Checks every header and parameter match. Returns the rules with header names in lower case and presence matches as `{}`. */
export function withCleanMatches(http: readonly HttpRule[], reporter: Reporter): readonly HttpRule[] {
  return http.map((rule, ruleIndex) => {
    if (!rule.match?.some(hasNamedMatches)) return rule;
    const path = ["spec", "http", ruleIndex, "match"];
    return { ...rule, match: rule.match.map((match, index) => cleanMatch(match, [...path, index], reporter)) };
  });
}

function hasNamedMatches({ headers, withoutHeaders, queryParams }: HttpMatchRequest): boolean {
  return headers !== undefined || withoutHeaders !== undefined || queryParams !== undefined;
}

function cleanMatch(match: HttpMatchRequest, path: FieldPath, reporter: Reporter): HttpMatchRequest {
  const { headers, withoutHeaders, queryParams } = match;
  return {
    ...match,
    headers: headers && cleanHeaders(headers, [...path, "headers"], reporter),
    withoutHeaders: withoutHeaders && cleanHeaders(withoutHeaders, [...path, "withoutHeaders"], reporter),
    queryParams: queryParams && cleanParameters(queryParams, [...path, "queryParams"], reporter),
  };
}

function cleanParameters(parameters: NamedMatches, path: FieldPath, reporter: Reporter): NamedMatches {
  const clean: Record<string, StringMatch> = {};
  for (const [name, match] of Object.entries(parameters)) {
    if (name === "") reporter.error({ code: "invalid-match", path, message: "a query parameter needs a name" });
    clean[name] = cleanValue(match, [...path, name], reporter);
  }
  return clean;
}

function cleanHeaders(headers: NamedMatches, path: FieldPath, reporter: Reporter): NamedMatches {
  const clean: Record<string, StringMatch> = {};
  for (const [name, match] of Object.entries(headers)) {
    const at = [...path, name];
    if (!checkHeaderName(name, at, reporter)) continue;
    const lowered = name.toLowerCase();
    if (lowered !== name) {
      const message = `${quote(name)} is compared as ${quote(lowered)}: header names have no case`;
      reporter.warning({ code: "header-name-case", path: at, message, hint: "Write it in lower case." });
    }
    if (Object.hasOwn(clean, lowered)) {
      const message = `${quote(lowered)} is already matched here`;
      reporter.error({ code: "invalid-header-name", path: at, message, hint: "Keep one of the two." });
    }
    clean[lowered] = cleanValue(match, at, reporter);
  }
  return clean;
}

/** Istio reads the regex `*`, which is no RE2, as "is there" (istio-semantics 2.5). */
function cleanValue(match: StringMatch, path: FieldPath, reporter: Reporter): StringMatch {
  if (match.regex === "*" && match.exact === undefined && match.prefix === undefined) return {};
  checkStringMatch(match, path, { isNamed: true }, reporter);
  return match;
}

/** False when the entry takes no part in the match. */
function checkHeaderName(name: string, path: FieldPath, reporter: Reporter): boolean {
  if (fieldsOfTheirOwn.has(name)) {
    const message = `a header match named ${quote(name)} is ignored, as in Istio`;
    reporter.warning({ code: "ignored-field", path, message, hint: `Write match.${name} instead.` });
    return false;
  }
  if (pseudoHeaders.has(name)) return true;
  if (name === ":path" || name.startsWith("@request.auth")) {
    const message = `a match on ${quote(name)} is not supported`;
    const hint = name === ":path" ? "Write match.uri instead." : "Sluice does not read JWT claims.";
    reporter.error({ code: "unsupported-value", path, message, hint });
    return false;
  }
  if (headerToken.test(name)) return true;
  reporter.error({ code: "invalid-header-name", path, message: `${quote(name)} cannot be the name of a header` });
  return false;
}
