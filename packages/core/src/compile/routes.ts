// From the HTTP rules of a VirtualService to routes, in order (istio-semantics 2.5).
import type {
  HttpMatchRequest,
  HttpRouteDestination,
  HttpRule,
  Resource,
  Route,
  RouteMatch,
  VirtualServiceSpec,
  WeightedCluster,
} from "../model/index.ts";
import { resolveGatewayName, resolveShortName } from "../model/index.ts";
import { formatClusterName } from "./cluster-name.ts";
import type { CompileContext } from "./context.ts";
import { buildRouteMatch, isCatchAll } from "./route-match.ts";

/** Where routes are built for: matches on port and gateways are decided here, at compile time. */
export interface RouteScope {
  readonly virtualService: Resource<VirtualServiceSpec>;
  /** `namespace/name` of the Gateway. */
  readonly gateway: string;
  /** The port of the Gateway's server, before translation. */
  readonly port: number;
}

/**
 * The routes of a VirtualService on one gateway: each match of each rule is one route. A route that matches everything ends the
 * list, for none after it can be reached. Empty when no match is meant for this port and gateway.
 */
export function buildRoutes(scope: RouteScope, context: CompileContext): readonly Route[] {
  const routes: Route[] = [];
  for (const [http, rule] of (scope.virtualService.spec.http ?? []).entries()) {
    const matches = rule.match === undefined || rule.match.length === 0 ? [null] : rule.match;
    for (const [index, match] of matches.entries()) {
      if (match !== null && !isInScope(match, scope)) continue;
      const route = buildRoute({ rule, match, at: { http, match: match === null ? -1 : index } }, scope, context);
      if (route === null) continue;
      routes.push(route);
      if (isCatchAll(route.match)) return routes;
    }
  }
  return routes;
}

function isInScope(match: HttpMatchRequest, { virtualService, gateway, port }: RouteScope): boolean {
  if (match.port !== undefined && match.port !== 0 && match.port !== port) return false;
  if (match.gateways === undefined || match.gateways.length === 0) return true;
  return match.gateways.some((name) => resolveGatewayName(name, virtualService.namespace) === gateway);
}

interface RuleMatch {
  readonly rule: HttpRule;
  readonly match: HttpMatchRequest | null;
  readonly at: Route["rule"];
}

function buildRoute({ rule, match, at }: RuleMatch, scope: RouteScope, context: CompileContext): Route | null {
  const { virtualService } = scope;
  const destinations = rule.route ?? [];
  const clusters = buildClusterWeights(destinations, scope, context);
  if (clusters.length === 0) return null;
  const routeMatch = buildRouteMatch(match);
  const apiVersion = virtualService.document.apiVersion;
  return {
    name: routeName(rule.name, match?.name),
    virtualService: { namespace: virtualService.namespace, name: virtualService.name, apiVersion },
    rule: at,
    match: routeMatch,
    action: { kind: "forward", clusters },
    operation: describeOperation(destinations, routeMatch, { scope, context }),
  };
}

function routeName(ruleName: string | undefined, matchName: string | undefined): string {
  return matchName === undefined || matchName === "" ? (ruleName ?? "") : `${ruleName ?? ""}.${matchName}`;
}

/** Destinations with their weights. One alone takes everything whatever its weight; among several, weight 0 takes nothing. */
function buildClusterWeights(
  destinations: readonly HttpRouteDestination[],
  scope: RouteScope,
  context: CompileContext,
): readonly WeightedCluster[] {
  const weighted = destinations.length === 1 ? destinations : destinations.filter(({ weight }) => (weight ?? 0) > 0);
  return weighted.map((entry) => ({
    cluster: formatClusterName(resolveDestination(entry, scope, context)),
    weight: weighted.length === 1 ? 1 : (entry.weight ?? 0),
  }));
}

/** Without a port the service's only one is meant; where it has several or is unknown, Istio takes the listener's. */
function resolveDestination(
  { destination }: HttpRouteDestination,
  { virtualService, port }: RouteScope,
  { services }: CompileContext,
): { readonly host: string; readonly port: number; readonly subset: string } {
  const host = resolveShortName(destination.host, virtualService.namespace).toLowerCase();
  return { host, port: destination.port?.number ?? services.onlyPort(host) ?? port, subset: destination.subset ?? "" };
}

/** Envoy's decorator, the name of spans: the destination where there is one, else the VirtualService, and the path. */
function describeOperation(
  destinations: readonly HttpRouteDestination[],
  { path }: RouteMatch,
  { scope, context }: { readonly scope: RouteScope; readonly context: CompileContext },
): string {
  const pathText = path.kind === "prefix" ? `${path.value}*` : path.value;
  const [only, ...others] = destinations;
  if (only === undefined || others.length > 0) return `${scope.virtualService.name}:${scope.port}${pathText}`;
  const { host, port } = resolveDestination(only, scope, context);
  return `${host}:${port}${pathText}`;
}
