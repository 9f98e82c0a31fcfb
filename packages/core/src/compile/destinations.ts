// Where a rule leads, whatever its protocol: its destinations as clusters with weights (istio-semantics 2.5).
import { type RouteDestination, resolveGatewayName, resolveShortName, type WeightedCluster } from "../model/index.ts";
import { type ClusterKey, formatClusterName } from "./cluster-name.ts";
import type { CompileContext } from "./context.ts";

/** Where rules are read for: matches on port and gateways are decided here, at compile time. */
export interface RuleScope {
  /** The VirtualService's. */
  readonly namespace: string;
  /** `namespace/name` of the Gateway. */
  readonly gateway: string;
  /** The port of the Gateway's server, before translation. */
  readonly port: number;
}

/** Conditions of a match that are not about what a client sends. */
export interface ScopedMatch {
  readonly port?: number | undefined;
  readonly gateways?: readonly string[] | undefined;
}

/** True when the match is meant for this port and Gateway. */
export function isInScope(match: ScopedMatch, { namespace, gateway, port }: RuleScope): boolean {
  if (match.port !== undefined && match.port !== 0 && match.port !== port) return false;
  if (match.gateways === undefined || match.gateways.length === 0) return true;
  return match.gateways.some((name) => resolveGatewayName(name, namespace) === gateway);
}

/** Destinations with their weights. One alone takes everything whatever its weight; among several, weight 0 takes nothing. */
export function weighDestinations(
  destinations: readonly RouteDestination[],
  scope: RuleScope,
  context: CompileContext,
): readonly WeightedCluster[] {
  const weighted = destinations.length === 1 ? destinations : destinations.filter(({ weight }) => (weight ?? 0) > 0);
  return weighted.map((entry) => ({
    cluster: formatClusterName(resolveDestination(entry, scope, context)),
    weight: weighted.length === 1 ? 1 : (entry.weight ?? 0),
  }));
}

/** Without a port the service's only one is meant; where it has several or is unknown, Istio takes the listener's. */
export function resolveDestination(
  { destination }: RouteDestination,
  { namespace, port }: RuleScope,
  { services }: CompileContext,
): ClusterKey {
  const host = services.targetOf(resolveShortName(destination.host, namespace).toLowerCase());
  return { host, port: destination.port?.number ?? services.onlyPort(host) ?? port, subset: destination.subset ?? "" };
}
