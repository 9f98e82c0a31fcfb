// What the workloadSelector of a ServiceEntry and the selector of a Service pick, judged across documents: nothing at all, or workloads
// whose address cannot be used there.
import { isIP } from "node:net";
import {
  describeDocument,
  type Diagnostic,
  LabelIndex,
  type Labels,
  type Resource,
  type ResourceSet,
  type ServiceEntrySpec,
  type WorkloadEntrySpec,
  workloadLabels,
} from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { Reporter } from "./reporter.ts";
import { isUnixAddress } from "./workload.ts";

type Workload = Resource<WorkloadEntrySpec>;

/** Warnings at ServiceEntries that pick nothing, and at WorkloadEntries that are picked and left out. */
export function checkSelectors(resources: ResourceSet): readonly Diagnostic[] {
  const workloads = new LabelIndex(resources.workloadEntries, workloadLabels);
  const pods = new LabelIndex(resources.pods, ({ labels }) => labels);
  const diagnostics: Diagnostic[] = [];
  const unusable = new Map<Workload, string>();
  for (const entry of resources.serviceEntries) {
    const labels = entry.spec.workloadSelector?.labels;
    if (labels === undefined) continue;
    const picked = workloads.select(entry.namespace, labels);
    if (picked.length === 0 && pods.select(entry.namespace, labels).length === 0)
      diagnostics.push(...warnNothing(entry, labels));
    for (const workload of picked) judgeAddress(workload, entry, unusable);
  }
  for (const service of resources.services) {
    const { selector = {} } = service.spec;
    if (Object.keys(selector).length === 0) continue;
    for (const workload of workloads.select(service.namespace, selector)) {
      if (isName(workload)) unusable.set(workload, `${describeDocument(service.document)} looks no names up`);
    }
  }
  for (const [workload, why] of unusable) diagnostics.push(...warnUnusable(workload, why));
  return diagnostics;
}

function judgeAddress(workload: Workload, entry: Resource<ServiceEntrySpec>, unusable: Map<Workload, string>): void {
  const { resolution } = entry.spec;
  const owner = `${describeDocument(entry.document)} has the resolution ${resolution ?? "NONE"}`;
  if (resolution === "STATIC") {
    if (isName(workload)) unusable.set(workload, `${owner}, which looks no names up`);
  } else if (isUnixAddress(workload.spec.address)) {
    unusable.set(workload, `${owner}, which is for names`);
  }
}

function isName({ spec: { address } }: Workload): boolean {
  return isIP(address) === 0 && !isUnixAddress(address);
}

function warnNothing(entry: Resource<ServiceEntrySpec>, labels: Labels): readonly Diagnostic[] {
  const reporter = new Reporter(entry.document);
  const list = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const message = `no WorkloadEntry or Pod in namespace ${entry.namespace} has ${list.join(", ")}: there are no endpoints`;
  reporter.warning({ code: "empty-selector", path: ["spec", "workloadSelector", "labels"], message });
  return reporter.diagnostics();
}

function warnUnusable(workload: Workload, why: string): readonly Diagnostic[] {
  const reporter = new Reporter(workload.document);
  const message = `${quote(workload.spec.address)} is left out: ${why}`;
  reporter.warning({ code: "unusable-workload", path: ["spec", "address"], message });
  return reporter.diagnostics();
}
