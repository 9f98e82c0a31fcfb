// ServiceEntries that declare one port of one host with different protocols (Istio's analyzer IST0177). One of them is wrong about what
// the upstream speaks, and which one is used depends on their age.
import {
  type Diagnostic,
  describeDocument,
  type Resource,
  type ServiceEntrySpec,
  visibilityFrom,
} from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { Reporter } from "./reporter.ts";

interface Declared {
  readonly entry: Resource<ServiceEntrySpec>;
  readonly protocol: string;
}

/** A warning at every port whose protocol differs from the first one read. */
export function checkProtocols(
  entries: readonly Resource<ServiceEntrySpec>[],
  gatewayNamespace: string,
): readonly Diagnostic[] {
  const declared = new Map<string, Declared>();
  return entries.flatMap((entry) => {
    if (visibilityFrom(gatewayNamespace, entry) === "hidden") return [];
    const reporter = new Reporter(entry.document);
    for (const [index, { number, protocol = "none" }] of (entry.spec.ports ?? []).entries()) {
      const first = entry.spec.hosts
        .map((host) => remember(`${host.toLowerCase()}:${number}`, { entry, protocol }, declared))
        .find((found) => found.protocol !== protocol);
      if (first === undefined) continue;
      const place = first.entry.document.locate(["spec", "ports"]);
      const where = `${describeDocument(first.entry.document)} (${place.file}:${place.line}:${place.column})`;
      const message = `port ${number} has the protocol ${quote(protocol)} here and ${quote(first.protocol)} in ${where}`;
      const path = ["spec", "ports", index, "protocol"];
      reporter.warning({
        code: "conflicting-protocols",
        path,
        message,
        hint: "Let both say what the upstream speaks.",
      });
    }
    return reporter.diagnostics();
  });
}

/** The first declaration of a port: this one when there was none. */
function remember(key: string, own: Declared, declared: Map<string, Declared>): Declared {
  const first = declared.get(key);
  if (first === undefined) declared.set(key, own);
  return first ?? own;
}
