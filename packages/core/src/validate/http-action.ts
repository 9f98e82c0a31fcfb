// What a rule does with its requests: exactly one of route, redirect, directResponse and delegate, and what cannot go with it
// (istio-semantics 2.11, validateHTTPRouteConflict).
import type { FieldPath, HttpRule } from "../model/index.ts";
import type { Reporter } from "./reporter.ts";

/** What a rule's checks have to know of its virtual service. */
export interface RuleOwner {
  /** It has no hosts: others take its rules in. */
  readonly isDelegate: boolean;
}

export function checkAction(rule: HttpRule, path: FieldPath, owner: RuleOwner, reporter: Reporter): void {
  const refuse = (field: keyof HttpRule, why: string, hint: string): void => {
    reporter.error({ code: "conflicting-fields", path: [...path, field], message: `${field} ${why}`, hint });
  };
  if (rule.delegate !== undefined) return checkRootRule(rule, owner, refuse);
  const [action, ...others] = answersOf(rule);
  if (action === undefined) {
    if ((rule.route ?? []).length > 0) return;
    const message = "this rule does not say where its requests go";
    return reporter.error({
      code: "missing-action",
      path,
      message,
      hint: "Add a route with a destination, or a redirect, directResponse or delegate.",
    });
  }
  const hint = "A rule has one action. Write two rules, or remove one of the two.";
  for (const other of others) refuse(other, `cannot stand beside ${action}`, hint);
  if ((rule.route ?? []).length > 0) refuse("route", `cannot stand beside ${action}`, hint);
  for (const field of ["fault", "rewrite"] as const) {
    if (rule[field] !== undefined)
      refuse(field, `cannot stand beside ${action}`, "Nothing is sent upstream. Remove it.");
  }
  warnOfUpstreamFields(rule, path, action, reporter);
}

type Refuse = (field: keyof HttpRule, why: string, hint: string) => void;

function checkRootRule(rule: HttpRule, { isDelegate }: RuleOwner, refuse: Refuse): void {
  if (isDelegate)
    refuse(
      "delegate",
      "cannot stand in a delegate",
      "Delegation goes one level deep; name this one's delegate in the root.",
    );
  const hint = "The delegate's rules say where requests go. Remove one of the two.";
  if ((rule.route ?? []).length > 0) refuse("route", "cannot stand beside delegate", hint);
  for (const field of answersOf(rule)) refuse(field, "cannot stand beside delegate", hint);
}

function answersOf(rule: HttpRule): readonly ("redirect" | "directResponse")[] {
  return (["redirect", "directResponse"] as const).filter((field) => rule[field] !== undefined);
}

/** Istio lets these pass and does nothing with them. */
const upstreamFields = ["timeout", "retries", "mirror", "mirrors"] as const;

function warnOfUpstreamFields(rule: HttpRule, path: FieldPath, action: string, reporter: Reporter): void {
  for (const field of upstreamFields) {
    const value = rule[field];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    const message = `${field} has no effect beside ${action}: nothing is sent upstream`;
    reporter.warning({ code: "ineffective-field", path: [...path, field], message, hint: "Remove it." });
  }
}
