// Where a rule leads, whatever its protocol: its destinations as clusters with weights (istio-semantics 2.5).
import {
  resolveGatewayName,
  resolveShortName,
  type RouteDestination,
  type ScopedMatch,
  selects,
  type WeightedCluster,
} from "../model/index.ts";
import { type ClusterKey, formatClusterName } from "./cluster-name.ts";
import type { RouteContext } from "./context.ts";

/** Where rules are read for: matches on port and gateways are decided here, at compile time. */
export interface RuleScope {
  /** The VirtualService's. */
  readonly namespace: string;
  /** `namespace/name` of the Gateway. */
  readonly gateway: string;
  /** The port of the Gateway's server, before translation. */
  readonly port: number;
}

/**
 * True when the match is meant for this port and this gateway. Who names Gateways has said it all: only without them do the labels and
 * the namespace of the gateway's workload decide, which Istio calls the source because in a mesh it is.
 */
export function isInScope(match: ScopedMatch, { namespace, gateway, port }: RuleScope, context: RouteContext): boolean {
  if (match.port !== undefined && match.port !== 0 && match.port !== port) return false;
  if (match.gateways !== undefined && match.gateways.length > 0) {
    return match.gateways.some((name) => resolveGatewayName(name, namespace) === gateway);
  }
  const workload = context.options.gateway;
  if (!selects(match.sourceLabels ?? {}, workload.labels)) return false;
  return (match.sourceNamespace ?? "") === "" || match.sourceNamespace === workload.namespace;
}

/** Destinations with their weights. One alone takes everything whatever its weight; among several, weight 0 takes nothing. */
export function weighDestinations(
  destinations: readonly RouteDestination[],
  scope: RuleScope,
  context: RouteContext,
): readonly WeightedCluster[] {
  const inUse = destinationsInUse(destinations);
  return inUse.map((entry) => {
    const weighted = weighDestination(entry, scope, context);
    return inUse.length === 1 ? { ...weighted, weight: 1 } : weighted;
  });
}

/** Those that take anything. */
export function destinationsInUse<Entry extends RouteDestination>(destinations: readonly Entry[]): readonly Entry[] {
  return destinations.length === 1 ? destinations : destinations.filter(({ weight }) => (weight ?? 0) > 0);
}

export function weighDestination(entry: RouteDestination, scope: RuleScope, context: RouteContext): WeightedCluster {
  return { cluster: formatClusterName(resolveDestination(entry, scope, context)), weight: entry.weight ?? 0 };
}

/** Without a port the service's only one is meant; where it has several or is unknown, Istio takes the listener's. */
export function resolveDestination(
  { destination }: RouteDestination,
  { namespace, port }: RuleScope,
  { services }: RouteContext,
): ClusterKey {
  const host = services.targetOf(resolveShortName(destination.host, namespace).toLowerCase());
  return { host, port: destination.port?.number ?? services.onlyPort(host) ?? port, subset: destination.subset ?? "" };
}
