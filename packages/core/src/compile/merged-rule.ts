// Several DestinationRules of one namespace for one host are read as one: the first top-level policy is used, subsets are put
// together, and of two subsets with one name the first is kept (istio-semantics 2.7).
import type { DestinationRuleSpec, Resource, Subset } from "../model/index.ts";
import { describeSite, type Findings, type Site } from "./findings.ts";

type DestinationRule = Resource<DestinationRuleSpec>;

export interface MergedRule {
  /** The rule whose top-level policy is used. */
  readonly speaker: DestinationRule;
  /** In creation order; `speaker` is among them. */
  readonly rules: readonly DestinationRule[];
}

/** A subset and the rule that has it. */
export interface FoundSubset {
  readonly rule: DestinationRule;
  readonly index: number;
  readonly subset: Subset;
}

/** Null for no rule. */
export function mergeRules(rules: readonly DestinationRule[]): MergedRule | null {
  const speaker = rules.find(({ spec }) => spec.trafficPolicy !== undefined) ?? rules[0];
  return speaker === undefined ? null : { speaker, rules };
}

export function findSubset({ rules }: MergedRule, name: string): FoundSubset | null {
  for (const rule of rules) {
    const index = (rule.spec.subsets ?? []).findIndex((subset) => subset.name === name);
    const subset = rule.spec.subsets?.[index];
    if (subset !== undefined) return { rule, index, subset };
  }
  return null;
}

/** Names every policy and subset that a rule before it keeps from being used. */
export function warnMerged(rules: readonly DestinationRule[], findings: Findings): void {
  const merged = mergeRules(rules);
  if (merged === null || rules.length === 1) return;
  for (const rule of rules) {
    if (rule !== merged.speaker && rule.spec.trafficPolicy !== undefined) warnPolicy(rule, merged, findings);
    for (const [index, { name }] of (rule.spec.subsets ?? []).entries()) {
      const first = findSubset(merged, name);
      if (first !== null && first.rule !== rule) warnSubset({ rule, index }, first, findings);
    }
  }
}

function warnPolicy(rule: DestinationRule, { speaker }: MergedRule, findings: Findings): void {
  const path = ["spec", "trafficPolicy"];
  const place = describeSite("that", { resource: speaker, path });
  const message = `"${rule.spec.host}" has a traffic policy already; ${place} is used, this one is not`;
  findings.warn({ resource: rule, path }, { code: "duplicate-destination-rule", message });
}

function warnSubset(
  { rule, index }: Pick<FoundSubset, "rule" | "index">,
  first: FoundSubset,
  findings: Findings,
): void {
  const place = describeSite("that", { resource: first.rule, path: ["spec", "subsets", first.index, "name"] });
  const site: Site = { resource: rule, path: ["spec", "subsets", index, "name"] };
  const message = `subset "${first.subset.name}" of "${rule.spec.host}" exists already; ${place} is used, this one is not`;
  findings.warn(site, { code: "duplicate-subset", message });
}
