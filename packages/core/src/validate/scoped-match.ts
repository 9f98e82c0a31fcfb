// What matches of all protocols have in common: port, Gateways, and the workload of the gateway.
import type { FieldPath, ScopedMatch } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { isLabelName } from "../parse/identify.ts";
import { checkGatewayNames } from "./gateway-names.ts";
import { checkLabels } from "./labels.ts";
import type { Reporter } from "./reporter.ts";

export function checkScopedMatch(match: ScopedMatch, path: FieldPath, reporter: Reporter): void {
  const { gateways = [], sourceLabels = {}, sourceNamespace = "" } = match;
  checkGatewayNames(gateways, [...path, "gateways"], reporter);
  checkLabels(sourceLabels, [...path, "sourceLabels"], reporter);
  if (sourceNamespace !== "" && !isLabelName(sourceNamespace)) {
    const message = `${quote(sourceNamespace)} is not a namespace`;
    reporter.error({ code: "invalid-value", path: [...path, "sourceNamespace"], message });
  }
  if (gateways.length === 0) return;
  for (const field of ["sourceLabels", "sourceNamespace"] as const) {
    const value = match[field];
    if (value === undefined || value === "" || Object.keys(value).length === 0) continue;
    const message = `${field} has no effect beside gateways`;
    const hint = "Istio asks for one or the other: where Gateways are named, they decide alone.";
    reporter.warning({ code: "ineffective-field", path: [...path, field], message, hint });
  }
}
