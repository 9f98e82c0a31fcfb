// Copies of requests (istio-semantics 2.5, mirror).
import type { Destination, HttpRule, Mirror } from "../model/index.ts";
import { formatClusterName } from "./cluster-name.ts";
import type { CompileContext } from "./context.ts";
import { resolveDestination, type RuleScope } from "./destinations.ts";

/** Mirrors that copy anything; their clusters are built like those of routes. */
export function buildMirrors(rule: HttpRule, scope: RuleScope, context: CompileContext): readonly Mirror[] {
  const listed = (rule.mirrors ?? []).map(({ destination, percentage }) => ({
    destination,
    percentage: percentage === undefined ? 100 : (percentage.value ?? 0),
  }));
  const all = rule.mirror === undefined ? listed : [singleMirror(rule, rule.mirror), ...listed];
  return all
    .filter(({ percentage }) => percentage > 0)
    .map(({ destination, percentage }) => ({
      cluster: formatClusterName(resolveDestination({ destination }, scope, context)),
      percentage,
    }));
}

/** Without a percentage every request is copied; one that is given wins over the deprecated spelling. */
function singleMirror({ mirrorPercentage, mirrorPercent }: HttpRule, destination: Destination) {
  const percentage = mirrorPercentage === undefined ? (mirrorPercent ?? 100) : (mirrorPercentage.value ?? 0);
  return { destination, percentage };
}
