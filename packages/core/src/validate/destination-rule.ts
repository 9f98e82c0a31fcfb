// DestinationRule: read, but not acted on yet. One that only names a host changes nothing and is accepted; everything else it can
// say changes how an upstream is chosen or protected, so it is refused rather than ignored.
import { z } from "zod";
import { checkExportTo } from "./export-to.ts";
import { checkMetadata } from "./metadata.ts";
import { istioDocument, type Metadata, text, textList } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { type KindSchema, readShape } from "./shape.ts";

interface DestinationRuleSpec {
  readonly host: string;
  readonly exportTo?: readonly string[] | undefined;
}

const spec: z.ZodType<DestinationRuleSpec> = z.strictObject({ host: text.min(1), exportTo: textList.optional() });

export const destinationRuleSchema: KindSchema<{ metadata: Metadata; spec: DestinationRuleSpec }> = {
  schema: istioDocument(spec),
  support: {
    refusedFields: {
      "spec.trafficPolicy": "load balancing, connection limits, outlier detection and TLS to upstreams",
      "spec.subsets": "subsets",
      "spec.workloadSelector": "rules for some gateways by their labels",
    },
    ignoredFields: {},
    refusedValues: {},
  },
};

/** Checks the DestinationRule; there is nothing of it to compile. */
export function validateDestinationRule(reporter: Reporter): void {
  const shape = readShape(destinationRuleSchema, reporter);
  if (shape === null) return;
  checkMetadata(shape.metadata, reporter);
  checkExportTo(shape.spec.exportTo ?? [], reporter);
}
