// ServiceEntry: its schema and rules (istio-semantics 1.4 and the CEL rules of Appendix A).
import { z } from "zod";
import type { FieldPath, Resource, ServiceEntrySpec, WorkloadEndpoint } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { isLabelName } from "../parse/identify.ts";
import { didYouMean } from "../parse/near-miss.ts";
import { checkExportTo } from "./export-to.ts";
import { hostProblem, isCidr, isIpAddress } from "./hosts.ts";
import { checkLabels } from "./labels.ts";
import { checkMetadata } from "./metadata.ts";
import { istioDocument, type Metadata, portNumber, text, textList, textMap } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";
import { serviceEntrySupport } from "./service-entry-support.ts";
import { type KindSchema, readShape, toResource } from "./shape.ts";
import { checkWorkload, isUnixAddress, workload } from "./workload.ts";

const protocols = [
  "HTTP",
  "HTTPS",
  "HTTP2",
  "GRPC",
  "GRPC-WEB",
  "HTTP_PROXY",
  "TLS",
  "TCP",
  "UDP",
  "MONGO",
  "MYSQL",
  "REDIS",
] as const;

const port = z.strictObject({
  number: portNumber,
  name: text.max(256),
  protocol: text.toUpperCase().pipe(z.enum(protocols)).optional(),
  targetPort: portNumber.optional(),
});

const spec: z.ZodType<ServiceEntrySpec> = z.strictObject({
  hosts: z.array(text).min(1).max(256),
  addresses: textList.max(256).optional(),
  ports: z.array(port).max(256).optional(),
  location: z.enum(["MESH_EXTERNAL", "MESH_INTERNAL"]).optional(),
  resolution: z.enum(["STATIC", "DNS", "DNS_ROUND_ROBIN"]).optional(),
  endpoints: z.array(workload).max(4096).optional(),
  workloadSelector: z.strictObject({ labels: textMap.optional() }).optional(),
  subjectAltNames: textList.optional(),
  exportTo: textList.optional(),
});

const serviceEntrySchema: KindSchema<{ metadata: Metadata; spec: ServiceEntrySpec }> = {
  schema: istioDocument(spec),
  support: serviceEntrySupport,
};

/** The ServiceEntry, or null when it has errors. */
export function validateServiceEntry(reporter: Reporter): Resource<ServiceEntrySpec> | null {
  const shape = readShape(serviceEntrySchema, reporter);
  if (shape === null) return null;
  checkMetadata(shape.metadata, reporter);
  checkHosts(shape.spec, reporter);
  checkAddresses(shape.spec, reporter);
  checkPorts(shape.spec, reporter);
  checkResolution(shape.spec, reporter);
  checkSelector(shape.spec, reporter);
  for (const [index, entry] of (shape.spec.endpoints ?? []).entries()) {
    checkEndpoint(entry, shape.spec, ["spec", "endpoints", index], reporter);
  }
  checkExportTo(shape.spec.exportTo ?? [], reporter);
  return reporter.hasErrors ? null : toResource(reporter.document, shape.metadata, shape.spec);
}

function checkHosts({ hosts }: ServiceEntrySpec, reporter: Reporter): void {
  const seen = new Set<string>();
  for (const [index, host] of hosts.entries()) {
    const path = ["spec", "hosts", index];
    const problem = host === "*" ? { message: "a service entry cannot be for every host" } : hostProblem(host);
    if (problem !== null) {
      const hint = "hint" in problem ? problem.hint : undefined;
      reporter.error({ code: "invalid-host", path, message: `${quote(host)}: ${problem.message}`, hint });
    } else if (seen.has(host.toLowerCase())) {
      reporter.error({ code: "duplicate-host", path, message: `${quote(host)} is listed twice`, hint: "Remove one." });
    }
    seen.add(host.toLowerCase());
  }
}

function checkAddresses({ addresses = [], resolution }: ServiceEntrySpec, reporter: Reporter): void {
  for (const [index, address] of addresses.entries()) {
    const path = ["spec", "addresses", index];
    if (isIpAddress(address)) continue;
    if (!isCidr(address)) {
      reporter.error({
        code: "invalid-address",
        path,
        message: `${quote(address)} is neither an IP address nor a CIDR`,
      });
    } else if (resolution === "DNS" || resolution === "DNS_ROUND_ROBIN") {
      const message = `the network ${quote(address)} is not allowed with the resolution ${resolution}`;
      reporter.error({ code: "invalid-address", path, message, hint: "Write an IP address." });
    }
  }
}

function checkPorts({ ports = [] }: ServiceEntrySpec, reporter: Reporter): void {
  const numbers = new Set<number>();
  const names = new Set<string>();
  for (const [index, { number, name }] of ports.entries()) {
    const path = ["spec", "ports", index];
    if (numbers.has(number)) {
      reporter.error({ code: "duplicate-port", path: [...path, "number"], message: `port ${number} is listed twice` });
    }
    if (!isPortName(name)) {
      const message = name === "" ? "a port needs a name" : `${quote(name)} is not a port name`;
      reporter.error({ code: "invalid-port-name", path: [...path, "name"], message, hint: portNameHint });
    } else if (names.has(name)) {
      const message = `the port name ${quote(name)} is listed twice`;
      reporter.error({ code: "duplicate-port-name", path: [...path, "name"], message });
    }
    numbers.add(number);
    names.add(name);
  }
}

const portNameHint = "Use letters, digits and inner hyphens, at most 63.";

function isPortName(name: string): boolean {
  return isLabelName(name.toLowerCase());
}

function checkResolution(
  { resolution, endpoints = [], hosts, workloadSelector }: ServiceEntrySpec,
  reporter: Reporter,
): void {
  if (resolution === undefined) {
    const message = "without a resolution the addresses are not known here (Istio's default is NONE)";
    const hint = "Write resolution: DNS, or STATIC with endpoints.";
    reporter.error({ code: "missing-resolution", path: ["spec", "resolution"], message, hint });
  }
  if (workloadSelector !== undefined) return;
  if (resolution === "DNS_ROUND_ROBIN" && endpoints.length > 1) {
    const message = "with the resolution DNS_ROUND_ROBIN there is one name at most";
    const hint = "Write resolution: DNS, which resolves every endpoint.";
    reporter.error({ code: "too-many-entries", path: ["spec", "endpoints", 1], message, hint });
  }
  if (endpoints.length > 0) return;
  if (resolution === "STATIC") {
    const message = "the resolution STATIC needs endpoints";
    const hint = "List them under endpoints, or pick WorkloadEntries with a workloadSelector.";
    reporter.error({ code: "missing-endpoints", path: ["spec", "endpoints"], message, hint });
  }
  const wildcard = hosts.findIndex((host) => host.startsWith("*."));
  if ((resolution === "DNS" || resolution === "DNS_ROUND_ROBIN") && wildcard >= 0) {
    const message = `${quote(hosts[wildcard] ?? "")} cannot be looked up: a wildcard needs endpoints`;
    reporter.error({ code: "missing-endpoints", path: ["spec", "hosts", wildcard], message });
  }
}

function checkSelector({ workloadSelector, endpoints, resolution }: ServiceEntrySpec, reporter: Reporter): void {
  if (workloadSelector === undefined) return;
  const path = ["spec", "workloadSelector"];
  const { labels = {} } = workloadSelector;
  if (endpoints !== undefined) {
    const message = "endpoints and workloadSelector both say where the endpoints come from";
    reporter.error({ code: "conflicting-fields", path, message, hint: "Keep one of the two." });
  }
  if (resolution === "DNS_ROUND_ROBIN") {
    const message = "a workloadSelector may pick several workloads, and with DNS_ROUND_ROBIN there is one name";
    reporter.error({ code: "conflicting-fields", path, message, hint: "Write resolution: DNS." });
  }
  if (Object.keys(labels).length === 0) {
    const message = `a workloadSelector without labels picks every workload of namespace ${reporter.document.namespace}`;
    reporter.warning({ code: "missing-labels", path: [...path, "labels"], message });
  }
  checkLabels(labels, [...path, "labels"], reporter);
}

function checkEndpoint(entry: WorkloadEndpoint, service: ServiceEntrySpec, path: FieldPath, reporter: Reporter): void {
  checkWorkload(entry, path, reporter);
  checkEndpointAddress(entry.address, service, [...path, "address"], reporter);
  const known = (service.ports ?? []).map(({ name }) => name);
  for (const name of Object.keys(entry.ports ?? {})) {
    if (known.includes(name)) continue;
    const message = `${quote(name)} is no port of this service entry`;
    const hint = didYouMean(name, known) ?? (known.length > 0 ? `Its ports are ${known.join(", ")}.` : undefined);
    reporter.error({ code: "unknown-port-name", path: [...path, "ports", name], message, hint });
  }
}

/** What the resolution asks of an address beyond being one. */
function checkEndpointAddress(
  address: string,
  { resolution, ports = [] }: ServiceEntrySpec,
  path: FieldPath,
  reporter: Reporter,
): void {
  if (isIpAddress(address) || resolution === undefined) return;
  if (!isUnixAddress(address)) {
    if (resolution !== "STATIC") return;
    const message = `${quote(address)} is not an IP address, as the resolution STATIC needs`;
    reporter.error({ code: "invalid-address", path, message, hint: "Write resolution: DNS for names." });
  } else if (resolution !== "STATIC") {
    const message = `a Unix domain socket is not allowed with the resolution ${resolution}`;
    reporter.error({ code: "invalid-address", path, message, hint: "Write resolution: STATIC." });
  } else if (ports.length !== 1) {
    const message = `one socket serves one port, and this service entry has ${ports.length}`;
    reporter.error({ code: "invalid-address", path, message, hint: "Make a ServiceEntry for each socket." });
  }
}
