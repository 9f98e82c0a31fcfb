// VirtualService: its schema, and the rules about hosts, gateways and visibility (istio-semantics 1.2). Routes have files of their
// own.
import { z } from "zod";
import { type Resource, resolveShortName, type VirtualServiceSpec } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { checkExportTo } from "./export-to.ts";
import { checkGatewayNames } from "./gateway-names.ts";
import { hostProblem, HostSet } from "./hosts.ts";
import { checkHttpRules } from "./http-rules.ts";
import { checkMetadata } from "./metadata.ts";
import { withCleanMatches } from "./named-matches.ts";
import { checkNetworkRules } from "./network-rules.ts";
import { istioDocument, type Metadata, portNumber, text, textList } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { type KindSchema, readShape, toResource } from "./shape.ts";
import { stringMatch } from "./string-match.ts";
import { virtualServiceSupport } from "./virtual-service-support.ts";

const stringMatches = z.record(z.string(), stringMatch);

const matchRequest = z.strictObject({
  name: text.optional(),
  uri: stringMatch.optional(),
  scheme: stringMatch.optional(),
  method: stringMatch.optional(),
  authority: stringMatch.optional(),
  headers: stringMatches.optional(),
  withoutHeaders: stringMatches.optional(),
  queryParams: stringMatches.optional(),
  port: portNumber.optional(),
  gateways: textList.optional(),
  ignoreUriCase: z.boolean().optional(),
});

const routeDestination = z.strictObject({
  destination: z.strictObject({
    host: text,
    subset: text.optional(),
    port: z.strictObject({ number: portNumber }).optional(),
  }),
  weight: z.int().min(0).max(2_147_483_647).optional(),
});

const httpRule = z.strictObject({
  name: text.optional(),
  match: z.array(matchRequest).optional(),
  route: z.array(routeDestination).optional(),
});

const connectionMatch = { port: portNumber.optional(), gateways: textList.optional() };

const tlsRule = z.strictObject({
  match: z.array(z.strictObject({ ...connectionMatch, sniHosts: z.array(text).min(1) })).min(1),
  route: z.array(routeDestination).optional(),
});

const tcpRule = z.strictObject({
  match: z.array(z.strictObject(connectionMatch)).optional(),
  route: z.array(routeDestination).optional(),
});

const noHosts: string[] = [];

const spec: z.ZodType<VirtualServiceSpec> = z.strictObject({
  hosts: textList.default(noHosts),
  gateways: textList.optional(),
  exportTo: textList.optional(),
  http: z.array(httpRule).optional(),
  tls: z.array(tlsRule).optional(),
  tcp: z.array(tcpRule).optional(),
});

const virtualServiceSchema: KindSchema<{ metadata: Metadata; spec: VirtualServiceSpec }> = {
  schema: istioDocument(spec),
  support: virtualServiceSupport,
};

/** The VirtualService, or null when it has errors. */
export function validateVirtualService(reporter: Reporter): Resource<VirtualServiceSpec> | null {
  const shape = readShape(virtualServiceSchema, reporter);
  if (shape === null) return null;
  checkMetadata(shape.metadata, reporter);
  checkHosts(shape.spec, reporter);
  checkGatewayNames(shape.spec.gateways ?? [], ["spec", "gateways"], reporter);
  checkExportTo(shape.spec.exportTo ?? [], reporter);
  const http = withCleanMatches(shape.spec.http ?? [], reporter);
  checkHasRules(shape.spec, reporter);
  checkHttpRules(http, reporter);
  checkNetworkRules(shape.spec, reporter);
  if (reporter.hasErrors) return null;
  return toResource(reporter.document, shape.metadata, { ...shape.spec, http });
}

function checkHasRules({ http = [], tls = [], tcp = [] }: VirtualServiceSpec, reporter: Reporter): void {
  if (http.length + tls.length + tcp.length > 0) return;
  const message = "a virtual service needs http, tls or tcp rules";
  reporter.error({ code: "missing-action", path: ["spec"], message, hint: "Add spec.http with a route." });
}

function checkHosts({ hosts, gateways = [] }: VirtualServiceSpec, reporter: Reporter): void {
  if (hosts.length === 0) {
    const message = "a virtual service needs a host";
    const hint = "One without hosts is a delegate, and delegates are not supported yet.";
    reporter.error({ code: "empty-list", path: ["spec", "hosts"], message, hint });
  }
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
