// WorkloadEntry: read, but not acted on yet. Only a ServiceEntry's workloadSelector could lead to one, and that is refused there, so
// nothing is served wrongly without it: a warning is enough.
import type { Reporter } from "./reporter.ts";

/** Says that the WorkloadEntry has no effect. */
export function validateWorkloadEntry(reporter: Reporter): void {
  const message = "WorkloadEntry is not supported yet; no traffic goes to it";
  const hint = "List the address under endpoints of a ServiceEntry.";
  reporter.warning({ code: "unsupported-kind", path: ["kind"], message, hint });
}
