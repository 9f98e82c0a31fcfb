// WorkloadEntry: one endpoint that ServiceEntries and Services pick by its labels (istio-semantics 1.4).
import type { Resource, WorkloadEntrySpec } from "../model/index.ts";
import { checkMetadata } from "./metadata.ts";
import { istioDocument, type Metadata } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { type KindSchema, readShape, toResource } from "./shape.ts";
import { checkWorkload, meshOnly, workload } from "./workload.ts";

const workloadEntrySchema: KindSchema<{ metadata: Metadata; spec: WorkloadEntrySpec }> = {
  schema: istioDocument(workload),
  support: {
    refusedFields: {},
    ignoredFields: { "spec.network": meshOnly, "spec.serviceAccount": meshOnly },
    refusedValues: {},
  },
};

/** The WorkloadEntry, or null when it has errors. */
export function validateWorkloadEntry(reporter: Reporter): Resource<WorkloadEntrySpec> | null {
  const shape = readShape(workloadEntrySchema, reporter);
  if (shape === null) return null;
  checkMetadata(shape.metadata, reporter);
  checkWorkload(shape.spec, ["spec"], reporter);
  if (Object.keys({ ...shape.metadata.labels, ...shape.spec.labels }).length === 0) {
    const message = "without labels no workloadSelector and no Service picks this workload";
    reporter.warning({ code: "missing-labels", path: ["spec", "labels"], message });
  }
  return reporter.hasErrors ? null : toResource(reporter.document, shape.metadata, shape.spec);
}
