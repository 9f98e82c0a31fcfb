// DestinationRule: its schema and rules (istio-semantics 1.3). What it can say about connections to an upstream is acted on; the rest
// changes how an upstream is chosen or protected, so it is refused rather than ignored.
import { z } from "zod";
import type { DestinationRuleSpec, Resource } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { destinationRuleSupport } from "./destination-rule-support.ts";
import { checkExportTo } from "./export-to.ts";
import { hostProblem } from "./hosts.ts";
import { checkMetadata } from "./metadata.ts";
import { istioDocument, type Metadata, text, textList } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { type KindSchema, readShape, toResource } from "./shape.ts";
import { checkTrafficPolicy, trafficPolicy } from "./traffic-policy.ts";

const spec: z.ZodType<DestinationRuleSpec> = z.strictObject({
  host: text.min(1),
  exportTo: textList.optional(),
  trafficPolicy: trafficPolicy.optional(),
});

const destinationRuleSchema: KindSchema<{ metadata: Metadata; spec: DestinationRuleSpec }> = {
  schema: istioDocument(spec),
  support: destinationRuleSupport,
};

/** The DestinationRule, or null when it has errors. */
export function validateDestinationRule(reporter: Reporter): Resource<DestinationRuleSpec> | null {
  const shape = readShape(destinationRuleSchema, reporter);
  if (shape === null) return null;
  checkMetadata(shape.metadata, reporter);
  checkExportTo(shape.spec.exportTo ?? [], reporter);
  const problem = hostProblem(shape.spec.host);
  if (problem !== null) {
    const message = `${quote(shape.spec.host)}: ${problem.message}`;
    reporter.error({ code: "invalid-host", path: ["spec", "host"], message, hint: problem.hint });
  }
  checkTrafficPolicy(shape.spec.trafficPolicy ?? {}, ["spec", "trafficPolicy"], reporter);
  return reporter.hasErrors ? null : toResource(reporter.document, shape.metadata, shape.spec);
}
