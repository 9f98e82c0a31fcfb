// Filter chains of connections that are not HTTP to the gateway: TCP, in clear or inside TLS, and TLS that passes through (istio-semantics 2.2).
import type {
  FilterChain,
  NetworkForward,
  Resource,
  RouteDestination,
  TlsMatchRequest,
  VirtualServiceSpec,
} from "../model/index.ts";
import { type ChainNames, takeName } from "./chain-names.ts";
import { isInScope, type RuleScope, weighDestinations } from "./destinations.ts";
import { type BoundServer, chainOwner, describeServer, gatewayName, serverKey, serverSite } from "./gateways.ts";
import type { RouteConfigScope } from "./route-config.ts";
import { hostsForNamespace, intersectHosts, sniNames } from "./server-hosts.ts";
import { virtualServiceHosts } from "./virtual-services.ts";

type VirtualService = Resource<VirtualServiceSpec>;

/** What raw chains are built with. */
export type NetworkScope = RouteConfigScope & ChainNames;

/** Who has a server name on a listener, in words, by name; `*` for connections that no name claims. */
export type TakenNames = Map<string, string>;

/** The keys under which the chain of these server names is found. */
export function nameKeys(serverNames: readonly string[]): readonly string[] {
  return serverNames.length === 0 ? ["*"] : serverNames;
}

/** The chain of a TCP server, without TLS: the first `tcp` rule that is meant for it. Null, with a warning, where there is none. */
export function buildTcpChain(bound: BoundServer, scope: NetworkScope): FilterChain | null {
  for (const virtualService of virtualServicesOf(bound, scope)) {
    const ruleScope = scopeOf(bound, virtualService);
    const rule = (virtualService.spec.tcp ?? []).find(
      ({ match = [] }) => match.length === 0 || match.some((entry) => isInScope(entry, ruleScope, scope.context)),
    );
    const forward = rule === undefined ? null : buildForward(rule.route ?? [], virtualService, { bound, scope });
    if (forward === null) continue;
    return {
      ...chainOwner(bound),
      name: takeName(`tcp.${serverKey(bound)}`, scope),
      serverNames: [],
      tls: null,
      routeConfig: null,
      forward,
    };
  }
  warnNoRoute(bound, "tcp", scope);
  return null;
}

/**
 * The chains of a PASSTHROUGH server: one for each match of a `tls` rule that is meant for it. A match that claims a server name
 * which is already taken on this listener is left out as a whole, as in Istio: Envoy would refuse all chains.
 */
export function buildPassthroughChains(bound: BoundServer, taken: TakenNames, scope: NetworkScope): FilterChain[] {
  const chains: FilterChain[] = [];
  for (const virtualService of virtualServicesOf(bound, scope)) {
    for (const [ruleIndex, { match, route = [] }] of (virtualService.spec.tls ?? []).entries()) {
      for (const [matchIndex, entry] of match.entries()) {
        if (!isInScope(entry, scopeOf(bound, virtualService), scope.context)) continue;
        const at: MatchPlace = { bound, virtualService, entry, path: ["spec", "tls", ruleIndex, "match", matchIndex] };
        const serverNames = claimServerNames(at, taken, scope);
        const forward = serverNames === null ? null : buildForward(route, virtualService, { bound, scope });
        if (serverNames === null || forward === null) continue;
        const source = `${virtualService.namespace}/${virtualService.name}`;
        const name = takeName(`tls.${serverKey(bound)}:${source}:${ruleIndex}.${matchIndex}`, scope);
        chains.push({ ...chainOwner(bound), name, serverNames, tls: null, routeConfig: null, forward });
      }
    }
  }
  if (chains.length === 0) warnNoRoute(bound, "tls", scope);
  return chains;
}

/** VirtualServices of the server's Gateway that share a host with the server. */
function virtualServicesOf(bound: BoundServer, { virtualServices }: RouteConfigScope): readonly VirtualService[] {
  return (virtualServices.get(gatewayName(bound.gateway)) ?? []).filter((virtualService) => {
    const serverHosts = hostsForNamespace(bound.hosts, virtualService.namespace);
    return intersectHosts(serverHosts, virtualServiceHosts(virtualService)).length > 0;
  });
}

function scopeOf({ gateway, server }: BoundServer, { namespace }: VirtualService): RuleScope {
  return { namespace, gateway: gatewayName(gateway), port: server.port.number };
}

interface MatchPlace {
  readonly bound: BoundServer;
  readonly virtualService: VirtualService;
  readonly entry: TlsMatchRequest;
  readonly path: readonly (string | number)[];
}

// Istio takes the match's names as they are, even those that the Gateway's server does not offer to the VirtualService's namespace: any
// VirtualService that shares one host with the server can take connections of another team's name. Here, as for HTTP, only
// what both sides agree on counts.
function claimServerNames(at: MatchPlace, taken: TakenNames, { context }: RouteConfigScope): readonly string[] | null {
  const { bound, virtualService, entry, path } = at;
  const wanted = entry.sniHosts.map((host) => host.toLowerCase());
  const allowed = intersectHosts(hostsForNamespace(bound.hosts, virtualService.namespace), wanted);
  // Names of another server of the Gateway, or of none: then the check of references has said so.
  if (allowed.length === 0) return null;
  const serverNames = sniNames(allowed);
  const shared = nameKeys(serverNames).filter((name) => taken.has(name));
  const [first] = shared;
  if (first === undefined) {
    const owner = `an earlier match of VirtualService ${virtualService.namespace}/${virtualService.name}`;
    for (const name of nameKeys(serverNames)) taken.set(name, owner);
    return serverNames;
  }
  context.findings.warn(
    { resource: virtualService, path: [...path, "sniHosts"] },
    {
      code: "sni-taken",
      message: `this match is skipped on ${describeServer(bound)}: ${quoteList(shared)} already belongs to ${taken.get(first)}`,
    },
  );
  return null;
}

function buildForward(
  route: readonly RouteDestination[],
  virtualService: VirtualService,
  { bound, scope }: { readonly bound: BoundServer; readonly scope: RouteConfigScope },
): NetworkForward | null {
  const clusters = weighDestinations(route, scopeOf(bound, virtualService), scope.context);
  if (clusters.length === 0) return null;
  scope.used.add(virtualService);
  const { namespace, name, document } = virtualService;
  return { clusters, virtualService: { namespace, name, apiVersion: document.apiVersion } };
}

function warnNoRoute(bound: BoundServer, kind: "tcp" | "tls", { context }: RouteConfigScope): void {
  context.findings.warn(serverSite(bound), {
    code: "no-route",
    message: `server "${bound.server.port.name}" takes no connections: no VirtualService has a ${kind} route for it`,
    hint: `bind a VirtualService with spec.${kind} to the Gateway`,
  });
}

function quoteList(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ");
}
