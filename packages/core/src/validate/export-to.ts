// `spec.exportTo`: the namespaces that see a resource.
import { isLabelName } from "../parse/identify.ts";
import { quote } from "../parse/finding.ts";
import type { Reporter } from "./reporter.ts";

/** `.` (the own namespace), `*` (all), `~` (none), or names of namespaces. */
export function checkExportTo(exportTo: readonly string[], reporter: Reporter): void {
  const seen = new Set<string>();
  for (const [index, entry] of exportTo.entries()) {
    const path = ["spec", "exportTo", index];
    const complain = (message: string, hint?: string): void => {
      reporter.error({ code: "invalid-export-to", path, message, hint });
    };
    if (entry !== "." && entry !== "*" && entry !== "~" && !isLabelName(entry)) {
      complain(`${quote(entry)} is not a namespace`, 'Write ".", "*", "~" or the name of a namespace.');
    } else if (exportTo.length > 1 && (entry === "*" || entry === "~")) {
      complain(`${quote(entry)} cannot stand together with other entries`);
    } else if (seen.has(entry === "." ? reporter.document.namespace : entry)) {
      complain(`${quote(entry)} is listed twice`);
    }
    seen.add(entry === "." ? reporter.document.namespace : entry);
  }
}
