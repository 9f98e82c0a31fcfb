// VirtualService: its schema, and the rules about hosts, gateways and visibility (istio-semantics 1.2). Routes have files of their
// own.
import { type HttpRule, type Resource, resolveShortName, type VirtualServiceSpec } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { checkExportTo } from "./export-to.ts";
import { checkGatewayNames } from "./gateway-names.ts";
import { hostProblem, HostSet } from "./hosts.ts";
import { checkHttpRules } from "./http-rules.ts";
import { withModernHeaders } from "./legacy-headers.ts";
import { checkMetadata } from "./metadata.ts";
import { withCleanMatches } from "./named-matches.ts";
import { checkNetworkRules } from "./network-rules.ts";
import { istioDocument, type Metadata } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { type KindSchema, readShape, toResource } from "./shape.ts";
import { virtualServiceSpec, type WrittenHttpRule, type WrittenVirtualServiceSpec } from "./virtual-service-schema.ts";
import { virtualServiceSupport } from "./virtual-service-support.ts";

const virtualServiceSchema: KindSchema<{ metadata: Metadata; spec: WrittenVirtualServiceSpec }> = {
  schema: istioDocument(virtualServiceSpec),
  support: virtualServiceSupport,
};

/** The VirtualService, or null when it has errors. */
export function validateVirtualService(reporter: Reporter): Resource<VirtualServiceSpec> | null {
  const shape = readShape(virtualServiceSchema, reporter);
  if (shape === null) return null;
  checkMetadata(shape.metadata, reporter);
  const { http: rules = [], ...rest } = shape.spec;
  const http = withCleanMatches(withModernRules(rules, reporter), reporter);
  const spec: VirtualServiceSpec = { ...rest, http };
  if (spec.hosts.length === 0) checkDelegate(spec, reporter);
  else checkHosts(spec, reporter);
  checkGatewayNames(spec.gateways ?? [], ["spec", "gateways"], reporter);
  checkExportTo(spec.exportTo ?? [], reporter);
  checkHasRules(spec, reporter);
  checkHttpRules(http, { isDelegate: spec.hosts.length === 0 }, reporter);
  checkNetworkRules(spec, reporter);
  return reporter.hasErrors ? null : toResource(reporter.document, shape.metadata, spec);
}

function withModernRules(rules: readonly WrittenHttpRule[], reporter: Reporter): readonly HttpRule[] {
  return rules.map((rule, ruleIndex) => {
    const path = ["spec", "http", ruleIndex];
    const route = rule.route?.map((entry, index) => withModernHeaders(entry, [...path, "route", index], reporter));
    return { ...withModernHeaders(rule, path, reporter), ...(route === undefined ? {} : { route }) };
  });
}

/** A virtual service without hosts gives its rules to others, and only HTTP rules can be given. */
function checkDelegate(spec: VirtualServiceSpec, reporter: Reporter): void {
  for (const field of ["gateways", "tls", "tcp"] as const) {
    if ((spec[field] ?? []).length === 0) continue;
    const message = `a virtual service without hosts is a delegate, and a delegate has no ${field}`;
    const hint = "Add spec.hosts, or remove this: what leads to the delegate decides.";
    reporter.error({ code: "conflicting-fields", path: ["spec", field], message, hint });
  }
}

function checkHasRules({ http = [], tls = [], tcp = [] }: VirtualServiceSpec, reporter: Reporter): void {
  if (http.length + tls.length + tcp.length > 0) return;
  const message = "a virtual service needs http, tls or tcp rules";
  reporter.error({ code: "missing-action", path: ["spec"], message, hint: "Add spec.http with a route." });
}

function checkHosts({ hosts, gateways = [] }: VirtualServiceSpec, reporter: Reporter): void {
  const isOnMesh = gateways.length === 0 || gateways.includes("mesh");
  const exact = new HostSet();
  const all = new HostSet(hosts.map((host) => resolveShortName(host, reporter.document.namespace)));
  for (const [index, host] of hosts.entries()) {
    const path = ["spec", "hosts", index];
    const problem = hostProblem(host);
    if (problem !== null) {
      const message = `${quote(host)}: ${problem.message}`;
      reporter.error({ code: "invalid-host", path, message, hint: problem.hint });
      continue;
    }
    if (host === "*" && isOnMesh) {
      const message = "the host * is not allowed on the mesh";
      const hint =
        gateways.length === 0 ? "Name the Gateway under spec.gateways." : 'Remove "mesh" from spec.gateways.';
      reporter.error({ code: "wildcard-on-mesh", path, message, hint });
    }
    const fullName = resolveShortName(host, reporter.document.namespace);
    const other = exact.has(fullName) ? fullName : all.strictlyCovering(fullName);
    if (other !== null) {
      const message = other === fullName.toLowerCase() ? "is listed twice" : `is already covered by ${quote(other)}`;
      reporter.error({ code: "duplicate-host", path, message: `${quote(host)} ${message}`, hint: "Remove one." });
    }
    exact.add(fullName);
  }
}
