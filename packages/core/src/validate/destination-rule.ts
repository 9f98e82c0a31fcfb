// DestinationRule: its schema and rules (istio-semantics 1.3).
import { z } from "zod";
import type { DestinationRuleSpec, Resource, Subset } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { isLabelName } from "../parse/identify.ts";
import { destinationRuleSupport } from "./destination-rule-support.ts";
import { checkExportTo } from "./export-to.ts";
import { hostProblem } from "./hosts.ts";
import { checkLabels } from "./labels.ts";
import { checkMetadata } from "./metadata.ts";
import { istioDocument, type Metadata, text, textList, textMap } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { type KindSchema, readShape, toResource } from "./shape.ts";
import { checkTrafficPolicy, trafficPolicy } from "./traffic-policy.ts";

const subset: z.ZodType<Subset> = z.strictObject({
  name: text.min(1),
  labels: textMap.optional(),
  trafficPolicy: trafficPolicy.optional(),
});

const spec: z.ZodType<DestinationRuleSpec> = z.strictObject({
  host: text.min(1),
  exportTo: textList.optional(),
  workloadSelector: z.strictObject({ matchLabels: textMap.optional() }).optional(),
  trafficPolicy: trafficPolicy.optional(),
  subsets: z.array(subset).optional(),
});

const destinationRuleSchema: KindSchema<{ metadata: Metadata; spec: DestinationRuleSpec }> = {
  schema: istioDocument(spec),
  support: destinationRuleSupport,
};

/** The DestinationRule, or null when it has errors. */
export function validateDestinationRule(reporter: Reporter): Resource<DestinationRuleSpec> | null {
  const shape = readShape(destinationRuleSchema, reporter);
  if (shape === null) return null;
  const { host, exportTo = [], workloadSelector, trafficPolicy: policy, subsets = [] } = shape.spec;
  checkMetadata(shape.metadata, reporter);
  checkExportTo(exportTo, reporter);
  const problem = hostProblem(host);
  if (problem !== null) {
    const message = `${quote(host)}: ${problem.message}`;
    reporter.error({ code: "invalid-host", path: ["spec", "host"], message, hint: problem.hint });
  }
  checkLabels(workloadSelector?.matchLabels ?? {}, ["spec", "workloadSelector", "matchLabels"], reporter);
  checkTrafficPolicy(policy, ["spec", "trafficPolicy"], reporter);
  checkSubsets(subsets, reporter);
  return reporter.hasErrors ? null : toResource(reporter.document, shape.metadata, shape.spec);
}

function checkSubsets(subsets: readonly Subset[], reporter: Reporter): void {
  const seen = new Set<string>();
  for (const [index, { name, labels = {}, trafficPolicy: policy }] of subsets.entries()) {
    const path = ["spec", "subsets", index];
    if (!isLabelName(name)) {
      const message = `${quote(name)} is not the name of a subset`;
      const hint = "Use lower-case letters, digits and inner hyphens, at most 63.";
      reporter.error({ code: "invalid-name", path: [...path, "name"], message, hint });
    } else if (seen.has(name)) {
      const message = `the subset ${quote(name)} is listed twice`;
      reporter.error({ code: "duplicate-name", path: [...path, "name"], message, hint: "Rename or remove one." });
    }
    seen.add(name);
    checkLabels(labels, [...path, "labels"], reporter);
    checkTrafficPolicy(policy, [...path, "trafficPolicy"], reporter);
  }
}
