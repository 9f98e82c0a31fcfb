// `spec.tls` and `spec.tcp` of a VirtualService: routes of connections that are not HTTP to the gateway (istio-semantics 1.2).
import { type FieldPath, resolveShortName, type TlsMatchRequest, type VirtualServiceSpec } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { checkDestinations } from "./destinations.ts";
import { checkGatewayNames } from "./gateway-names.ts";
import { hostProblem, HostSet } from "./hosts.ts";
import type { Reporter } from "./reporter.ts";

export function checkNetworkRules({ hosts, tls = [], tcp = [] }: VirtualServiceSpec, reporter: Reporter): void {
  const covered = new HostSet(hosts.map((host) => resolveShortName(host, reporter.document.namespace)));
  for (const [index, { match, route = [] }] of tls.entries()) {
    const path = ["spec", "tls", index];
    for (const [matchIndex, entry] of match.entries()) {
      const at = [...path, "match", matchIndex];
      checkGatewayNames(entry.gateways ?? [], [...at, "gateways"], reporter);
      checkServerNames(entry, covered, at, reporter);
    }
    checkDestinations(route, path, reporter);
  }
  for (const [index, { match = [], route = [] }] of tcp.entries()) {
    const path = ["spec", "tcp", index];
    for (const [matchIndex, { gateways = [] }] of match.entries()) {
      checkGatewayNames(gateways, [...path, "match", matchIndex, "gateways"], reporter);
    }
    checkDestinations(route, path, reporter);
  }
}

/** Istio's rule: a virtual service cannot take connections of a name that is not among its hosts. */
function checkServerNames(match: TlsMatchRequest, covered: HostSet, path: FieldPath, reporter: Reporter): void {
  for (const [index, name] of match.sniHosts.entries()) {
    const at = [...path, "sniHosts", index];
    const problem = hostProblem(name);
    if (problem !== null) {
      const message = `${quote(name)}: ${problem.message}`;
      reporter.error({ code: "invalid-host", path: at, message, hint: problem.hint });
    } else if (covered.covering(resolveShortName(name, reporter.document.namespace)) === null) {
      const message = `${quote(name)} is covered by none of the virtual service's hosts`;
      reporter.error({ code: "sni-not-in-hosts", path: at, message, hint: "Add it under spec.hosts." });
    }
  }
}
