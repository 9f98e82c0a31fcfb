// `spec.http` of a VirtualService: matches, destinations, and rules that no request can reach.
import type { FieldPath, HttpMatchRequest, HttpRule } from "../model/index.ts";
import { checkDestinations } from "./destinations.ts";
import { checkGatewayNames } from "./gateway-names.ts";
import type { Reporter } from "./reporter.ts";
import { checkStringMatch } from "./string-match.ts";

/** What a rule's checks have to know of its virtual service. */
export interface RuleOwner {
  readonly isDelegate: boolean;
}

export function checkHttpRules(http: readonly HttpRule[], _owner: RuleOwner, reporter: Reporter): void {
  for (const [index, rule] of http.entries()) checkRule(rule, ["spec", "http", index], reporter);
  // Without the fields that were dropped, rules look more alike than they are.
  if (!reporter.isIncomplete) warnUnreachable(http, reporter);
}

function checkRule(rule: HttpRule, path: FieldPath, reporter: Reporter): void {
  for (const [index, match] of (rule.match ?? []).entries()) checkMatch(match, [...path, "match", index], reporter);
  if (rule.redirect === undefined && rule.directResponse === undefined && rule.delegate === undefined)
    checkDestinations(rule.route ?? [], path, reporter);
}

function checkMatch(match: HttpMatchRequest, path: FieldPath, reporter: Reporter): void {
  for (const field of ["uri", "scheme", "method", "authority"] as const) {
    const value = match[field];
    if (value === undefined) continue;
    checkStringMatch(value, [...path, field], { isNamed: false }, reporter);
  }
  checkGatewayNames(match.gateways ?? [], [...path, "gateways"], reporter);
  if (match.ignoreUriCase === true && match.uri?.regex !== undefined) {
    const message = "ignoreUriCase has no effect on a regex";
    const hint = "Start the regex with (?i) instead.";
    reporter.warning({ code: "ineffective-field", path: [...path, "ignoreUriCase"], message, hint });
  }
}

/**
 * Warns of rules behind a catch-all, and of matches that repeat an earlier one. The first catch-all ends the list (istio-semantics
 * 2.5), since the first match wins.
 */
function warnUnreachable(http: readonly HttpRule[], reporter: Reporter): void {
  const seen = new Map<string, FieldPath>();
  let catchAll: FieldPath | null = null;
  for (const [ruleIndex, rule] of http.entries()) {
    const rulePath = ["spec", "http", ruleIndex];
    if (catchAll !== null) {
      warnBehind(rulePath, catchAll, reporter);
      continue;
    }
    const matches = rule.match ?? [];
    if (matches.length === 0) catchAll = rulePath;
    for (const [matchIndex, match] of matches.entries()) {
      const path = [...rulePath, "match", matchIndex];
      const { name: _, ...conditions } = match;
      const key = JSON.stringify(conditions);
      const earlier = catchAll ?? seen.get(key);
      if (earlier !== undefined) warnBehind(path, earlier, reporter);
      else seen.set(key, path);
      if (catchAll === null && isCatchAll(match)) catchAll = path;
    }
  }
}

function warnBehind(path: FieldPath, earlier: FieldPath, reporter: Reporter): void {
  const { line } = reporter.document.locate(earlier);
  const message = `no request gets here: the one on line ${line} takes them all, and the first match wins`;
  reporter.warning({ code: "unreachable-rule", path, message, hint: "Move it up, or make the earlier one narrower." });
}

/** True when the match has no condition that a request could fail. */
function isCatchAll(match: HttpMatchRequest): boolean {
  const { uri, headers, withoutHeaders, queryParams } = match;
  if (uri !== undefined && uri.prefix !== "/" && uri.regex !== ".*") return false;
  if ([headers, withoutHeaders, queryParams].some((fields) => Object.keys(fields ?? {}).length > 0)) return false;
  if (match.port !== undefined || (match.gateways ?? []).length > 0) return false;
  return match.scheme === undefined && match.method === undefined && match.authority === undefined;
}
