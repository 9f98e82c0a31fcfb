// What resources say about each other. Warnings only: what is missing may arrive later (CONTRACT), and everything else is served.
import {
  type Destination,
  type DestinationRuleSpec,
  type Diagnostic,
  type FieldPath,
  isWildcardHost,
  type Resource,
  resolveGatewayName,
  resolveShortName,
  type ResourceSet,
  type RouteDestination,
  type VirtualServiceSpec,
} from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { checkProtocols } from "./conflicting-protocols.ts";
import { Delegates } from "./delegates.ts";
import { GatewayHosts } from "./gateway-hosts.ts";
import { KnownServices, type ReferenceScope } from "./known-services.ts";
import { KnownSubsets } from "./known-subsets.ts";
import { Reporter } from "./reporter.ts";
import { checkSelectors } from "./workload-selectors.ts";

/**
 * Warns of every reference from a VirtualService to a Gateway, host, subset or port that is not there, of DestinationRules for no service,
 * and of ServiceEntries that contradict each other.
 */
export function checkReferences(resources: ResourceSet, scope: ReferenceScope): readonly Diagnostic[] {
  const services = new KnownServices(resources, scope);
  const subsets = new KnownSubsets(resources.destinationRules, scope);
  const gateways = new GatewayHosts(resources.gateways, scope.documents);
  const diagnostics: Diagnostic[] = [];
  const delegates = new Delegates(resources.virtualServices, scope.documents);
  for (const virtualService of resources.virtualServices) {
    const reporter = new Reporter(virtualService.document);
    delegates.check(virtualService, reporter);
    if (virtualService.spec.hosts.length > 0) checkGateways(virtualService, gateways, reporter);
    checkDestinations(virtualService, { services, subsets }, reporter);
    for (const diagnostic of reporter.diagnostics()) diagnostics.push(diagnostic);
  }
  for (const rule of resources.destinationRules) {
    const reporter = new Reporter(rule.document);
    checkRuleHost(rule, services, reporter);
    for (const diagnostic of reporter.diagnostics()) diagnostics.push(diagnostic);
  }
  for (const diagnostic of checkProtocols(resources.serviceEntries, scope.gatewayNamespace))
    diagnostics.push(diagnostic);
  for (const diagnostic of checkSelectors(resources)) diagnostics.push(diagnostic);
  return diagnostics;
}

function checkRuleHost(
  { namespace, spec }: Resource<DestinationRuleSpec>,
  services: KnownServices,
  reporter: Reporter,
): void {
  const host = resolveShortName(spec.host, namespace);
  if (isWildcardHost(host)) return;
  if (services.portsOf(host) !== null) return warnAlias(services.targetOf(host), spec.host, reporter);
  const whyHidden = services.whyHidden(host);
  if (whyHidden === null && services.isUnreadable(host)) return;
  const message = `${quote(spec.host)} ${whyHidden ?? "is no known service"}: nothing of this rule is used`;
  const hint = whyHidden === null ? services.suggest(host, namespace) : undefined;
  reporter.warning({ code: "unused-destination-rule", path: ["spec", "host"], message, hint });
}

/** Routes to another name of a service lead to that service's cluster, so only its own rules are used. */
function warnAlias(target: string, written: string, reporter: Reporter): void {
  const host = resolveShortName(written, reporter.document.namespace).toLowerCase();
  if (target === host) return;
  const message = `${quote(written)} is another name of ${quote(target)}, whose rules are used: nothing of this rule is`;
  const hint = `Write host: ${target}.`;
  reporter.warning({ code: "unused-destination-rule", path: ["spec", "host"], message, hint });
}

/** What the rules of the three protocols have in common. */
interface AnyRule {
  readonly path: FieldPath;
  readonly match?: readonly { readonly gateways?: readonly string[] | undefined }[] | undefined;
  readonly route?: readonly RouteDestination[] | undefined;
}

function rulesOf(spec: VirtualServiceSpec): readonly AnyRule[] {
  return (["http", "tls", "tcp"] as const).flatMap((protocol) => {
    const rules: readonly Omit<AnyRule, "path">[] = spec[protocol] ?? [];
    return rules.map(({ match, route }, index) => ({ match, route, path: ["spec", protocol, index] }));
  });
}

function checkGateways(
  { namespace, spec }: Resource<VirtualServiceSpec>,
  gateways: GatewayHosts,
  reporter: Reporter,
): void {
  const names = spec.gateways ?? [];
  for (const [index, name] of names.entries()) checkGateway(name, ["spec", "gateways", index], gateways, reporter);
  for (const { match = [], path: rulePath } of rulesOf(spec)) {
    for (const [matchIndex, { gateways: own = [] }] of match.entries()) {
      const path = [...rulePath, "match", matchIndex, "gateways"];
      for (const [index, name] of own.entries()) checkGateway(name, [...path, index], gateways, reporter);
    }
  }
  const bound = names.map((name) => resolveGatewayName(name, namespace)).filter((name) => name !== "mesh");
  if (bound.length === 0) {
    const message = "this virtual service is bound to the mesh only; a gateway serves nothing of it";
    const hint = "Name the Gateway under spec.gateways.";
    return reporter.warning({ code: "not-on-gateway", path: ["spec", "gateways"], message, hint });
  }
  if (bound.every((name) => gateways.isReadable(name))) checkHosts({ namespace, spec }, bound, gateways, reporter);
}

function checkGateway(name: string, path: FieldPath, gateways: GatewayHosts, reporter: Reporter): void {
  const { namespace } = reporter.document;
  const fullName = resolveGatewayName(name, namespace);
  if (fullName === "mesh" || gateways.has(fullName)) return;
  const message = `there is no Gateway ${quote(fullName)}`;
  reporter.warning({ code: "unknown-gateway", path, message, hint: gateways.suggest(fullName, namespace) });
}

/** A host or SNI name that no server of the gateways serves. On the mesh as well, hosts meant for it only are no mistake, unless all are. */
function checkHosts(
  { namespace, spec }: Pick<Resource<VirtualServiceSpec>, "namespace" | "spec">,
  bound: readonly string[],
  gateways: GatewayHosts,
  reporter: Reporter,
): void {
  const isServed = (host: string): boolean =>
    bound.some((gateway) => gateways.serves(gateway, resolveShortName(host, namespace), namespace));
  const isOnMesh = (spec.gateways ?? []).includes("mesh");
  if (isOnMesh && spec.hosts.some(isServed)) return;
  const reported = new Set<string>();
  for (const [host, path] of hostsAndServerNames(spec)) {
    if (isServed(host) || reported.has(host)) continue;
    reported.add(host);
    const message = `no server of ${bound.join(", ")} has a host that covers ${quote(host)}`;
    const hint = "Add the host to a server of the Gateway, or correct it here.";
    reporter.warning({ code: "host-not-in-gateway", path, message, hint });
  }
}

/** What a virtual service claims of a gateway, and where it says so. */
function* hostsAndServerNames({ hosts, tls = [] }: VirtualServiceSpec): Generator<[string, FieldPath]> {
  for (const [index, host] of hosts.entries()) yield [host, ["spec", "hosts", index]];
  for (const [ruleIndex, { match }] of tls.entries()) {
    for (const [matchIndex, { sniHosts }] of match.entries()) {
      const path = ["spec", "tls", ruleIndex, "match", matchIndex, "sniHosts"];
      for (const [index, host] of sniHosts.entries()) yield [host, [...path, index]];
    }
  }
}

/** Destinations of routes and mirrors, and where they stand. */
function* destinationsOf(spec: VirtualServiceSpec): Generator<[Destination, FieldPath]> {
  for (const { route = [], path } of rulesOf(spec)) {
    for (const [index, { destination }] of route.entries())
      yield [destination, [...path, "route", index, "destination"]];
  }
  for (const [ruleIndex, { mirror, mirrors = [] }] of (spec.http ?? []).entries()) {
    const path = ["spec", "http", ruleIndex];
    if (mirror !== undefined) yield [mirror, [...path, "mirror"]];
    for (const [index, { destination }] of mirrors.entries())
      yield [destination, [...path, "mirrors", index, "destination"]];
  }
}

function checkDestinations(
  { namespace, spec }: Resource<VirtualServiceSpec>,
  { services, subsets }: { readonly services: KnownServices; readonly subsets: KnownSubsets },
  reporter: Reporter,
): void {
  for (const [destination, path] of destinationsOf(spec)) {
    const host = resolveShortName(destination.host, namespace);
    const whyHidden = services.whyHidden(host);
    if (whyHidden !== null) {
      const message = `${quote(destination.host)} ${whyHidden}`;
      reporter.warning({ code: "unknown-host", path: [...path, "host"], message });
      continue;
    }
    if (services.isUnreadable(host)) continue;
    const ports = services.portsOf(host);
    if (ports === null) {
      const message = `${quote(destination.host)} is no known service`;
      const hint = services.suggest(host, namespace);
      reporter.warning({ code: "unknown-host", path: [...path, "host"], message, hint });
    } else {
      checkSubset(destination, services.targetOf(host), { subsets, path, reporter });
      checkPort(destination.port?.number, ports, { host, path, reporter });
    }
  }
}

interface SubsetCheck {
  readonly subsets: KnownSubsets;
  readonly path: FieldPath;
  readonly reporter: Reporter;
}

function checkSubset({ host: written, subset = "" }: Destination, host: string, check: SubsetCheck): void {
  const { subsets, path, reporter } = check;
  if (subset === "" || subsets.has(host, subset) || subsets.isUnreadable(host)) return;
  const message = `no DestinationRule defines subset ${quote(subset)} of ${quote(written)}`;
  reporter.warning({ code: "unknown-subset", path: [...path, "subset"], message, hint: subsets.suggest(host, subset) });
}

interface PortCheck {
  readonly host: string;
  readonly path: FieldPath;
  readonly reporter: Reporter;
}

function checkPort(port: number | undefined, ports: readonly number[], { host, path, reporter }: PortCheck): void {
  const list = ports.length === 0 ? "It has none." : `It has ${ports.join(", ")}.`;
  if (port !== undefined && !ports.includes(port)) {
    const message = `${host} has no port ${port}`;
    reporter.warning({ code: "unknown-port", path: [...path, "port", "number"], message, hint: list });
  } else if (port === undefined && ports.length !== 1) {
    const message = `${host} has ${ports.length} ports, and none is named here; the port of the listener is taken`;
    reporter.warning({ code: "ambiguous-port", path: [...path, "port"], message, hint: `Name the port. ${list}` });
  }
}
