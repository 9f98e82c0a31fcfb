// `spec.http` of a VirtualService: each rule's action, matches and policies, and rules that no request can reach.
import type { FieldPath, HttpMatchRequest, HttpRule } from "../model/index.ts";
import { checkDestinations } from "./destinations.ts";
import { checkAuthorityOnce, checkHeaderRules } from "./header-rules.ts";
import { checkAction, type RuleOwner } from "./http-action.ts";
import { checkDirectResponse, checkRedirect } from "./http-answers.ts";
import { checkCors } from "./http-cors.ts";
import { checkFault } from "./http-fault.ts";
import { checkMirrors } from "./http-mirrors.ts";
import { checkTiming } from "./http-retries.ts";
import { checkRewrite } from "./http-rewrite.ts";
import type { Reporter } from "./reporter.ts";
import { checkScopedMatch } from "./scoped-match.ts";
import { checkStringMatch } from "./string-match.ts";
import { warnUnreachable } from "./unreachable-rules.ts";

export function checkHttpRules(http: readonly HttpRule[], owner: RuleOwner, reporter: Reporter): void {
  for (const [index, rule] of http.entries()) {
    const path = ["spec", "http", index];
    for (const [matchIndex, match] of (rule.match ?? []).entries()) {
      checkMatch(match, [...path, "match", matchIndex], reporter);
    }
    checkAction(rule, path, owner, reporter);
    checkPolicies(rule, path, reporter);
  }
  // Without the fields that were dropped, rules look more alike than they are.
  if (!reporter.isIncomplete) warnUnreachable(http, reporter);
}

function checkPolicies(rule: HttpRule, path: FieldPath, reporter: Reporter): void {
  const { route = [], match = [], redirect, directResponse, delegate, rewrite, fault, corsPolicy } = rule;
  checkDestinations(route, path, reporter);
  for (const [index, { headers }] of route.entries()) checkHeaderRules(headers, [...path, "route", index], reporter);
  if (redirect !== undefined) checkRedirect(redirect, [...path, "redirect"], match, reporter);
  if (directResponse !== undefined) checkDirectResponse(directResponse, [...path, "directResponse"], reporter);
  if (delegate?.name === "") {
    const message = "the name of a delegate must not be empty";
    reporter.error({ code: "empty-value", path: [...path, "delegate", "name"], message });
  }
  if (rewrite !== undefined) checkRewrite(rewrite, [...path, "rewrite"], reporter);
  if (fault !== undefined) checkFault(fault, [...path, "fault"], reporter);
  if (corsPolicy !== undefined) checkCors(corsPolicy, [...path, "corsPolicy"], reporter);
  checkTiming(rule, path, reporter);
  checkMirrors(rule, path, reporter);
  checkHeaderRules(rule.headers, path, reporter);
  checkAuthorityOnce(rule, path, reporter);
}

function checkMatch(match: HttpMatchRequest, path: FieldPath, reporter: Reporter): void {
  for (const field of ["uri", "scheme", "method", "authority"] as const) {
    const value = match[field];
    if (value === undefined) continue;
    checkStringMatch(value, [...path, field], { isNamed: false }, reporter);
  }
  checkScopedMatch(match, path, reporter);
  if (match.ignoreUriCase === true && match.uri?.regex !== undefined) {
    const message = "ignoreUriCase has no effect on a regex";
    const hint = "Start the regex with (?i) instead.";
    reporter.warning({ code: "ineffective-field", path: [...path, "ignoreUriCase"], message, hint });
  }
}
