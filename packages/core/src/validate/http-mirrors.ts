// `mirror` and `mirrors` of a rule (istio-semantics 1.2 and 2.11).
import type { FieldPath, HttpRule } from "../model/index.ts";
import { checkDestination } from "./destinations.ts";
import { checkOldPercent, checkPercentage } from "./percentages.ts";
import type { Reporter } from "./reporter.ts";

export function checkMirrors(rule: HttpRule, path: FieldPath, reporter: Reporter): void {
  const { mirror, mirrors = [], mirrorPercentage, mirrorPercent } = rule;
  if (mirror !== undefined && mirrors.length > 0) {
    const message = "only one of mirror and mirrors may be set";
    const hint = "Write the one as an entry of mirrors.";
    reporter.error({ code: "conflicting-fields", path: [...path, "mirrors"], message, hint });
  }
  if (mirror !== undefined) checkDestination(mirror, [...path, "mirror"], reporter);
  checkPercentage(mirrorPercentage, [...path, "mirrorPercentage"], reporter);
  checkOldPercent(mirrorPercent, [...path, "mirrorPercent"], reporter);
  for (const field of ["mirrorPercentage", "mirrorPercent"] as const) {
    // A delegate's rule may take the mirror from the rule that leads to it, and the other way round.
    if (mirror !== undefined || rule[field] === undefined || rule.delegate !== undefined) continue;
    const message = `${field} has no effect without mirror`;
    reporter.warning({ code: "ineffective-field", path: [...path, field], message });
  }
  for (const [index, { destination, percentage }] of mirrors.entries()) {
    const at = [...path, "mirrors", index];
    checkDestination(destination, [...at, "destination"], reporter);
    checkPercentage(percentage, [...at, "percentage"], reporter);
  }
}
