// `spec.tls` and `spec.tcp` of a VirtualService: routes of connections that are not HTTP to the gateway (istio-semantics 1.2).
import {
  type FieldPath,
  resolveShortName,
  type RouteDestination,
  type TlsMatchRequest,
  type VirtualServiceSpec,
} from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import { checkDestinations } from "./destinations.ts";
import { hostProblem, HostSet, isIpAddress } from "./hosts.ts";
import type { Reporter } from "./reporter.ts";
import { checkScopedMatch } from "./scoped-match.ts";
import { warnUnreachableConnections } from "./unreachable-rules.ts";

export function checkNetworkRules({ hosts, tls = [], tcp = [] }: VirtualServiceSpec, reporter: Reporter): void {
  const covered = new HostSet(hosts.map((host) => resolveShortName(host, reporter.document.namespace)));
  for (const [index, { match, route = [] }] of tls.entries()) {
    const path = ["spec", "tls", index];
    for (const [matchIndex, entry] of match.entries()) {
      const at = [...path, "match", matchIndex];
      checkScopedMatch(entry, at, reporter);
      checkServerNames(entry, covered, at, reporter);
    }
    checkConnectionRoute(route, path, reporter);
  }
  for (const [index, { match = [], route = [] }] of tcp.entries()) {
    const path = ["spec", "tcp", index];
    for (const [matchIndex, entry] of match.entries()) {
      checkScopedMatch(entry, [...path, "match", matchIndex], reporter);
    }
    checkConnectionRoute(route, path, reporter);
  }
  if (reporter.isIncomplete) return;
  warnUnreachableConnections(tls, ["spec", "tls"], reporter);
  warnUnreachableConnections(tcp, ["spec", "tcp"], reporter);
}

function checkConnectionRoute(route: readonly RouteDestination[], path: FieldPath, reporter: Reporter): void {
  if (route.length === 0) {
    const message = "this rule does not say where its connections go";
    reporter.error({ code: "missing-action", path, message, hint: "Add a route with a destination." });
  }
  checkDestinations(route, path, reporter);
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
    } else if (isIpAddress(name)) {
      const message = `${quote(name)}: clients send no address as server name (RFC 6066, section 3)`;
      reporter.warning({ code: "ineffective-field", path: at, message, hint: "Write a DNS name." });
    }
  }
}
