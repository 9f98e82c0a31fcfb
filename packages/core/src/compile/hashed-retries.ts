// Retries of routes whose requests are bound to an endpoint by a hash: they stay with it (istio-semantics 2.6). A retry elsewhere would find
// none of the state that the hash is for.
import type { Cluster, Route, RouteConfig } from "../model/index.ts";

/**
 * The route configs with every such route's retries allowed on the endpoint that failed. Routes that do not hash stay the same objects.
 *
 * @param staying what became of routes in earlier calls; it depends on nothing but the route
 */
export function keepHashedHosts(
  routeConfigs: readonly RouteConfig[],
  clusters: readonly Cluster[],
  staying: WeakMap<Route, Route>,
): readonly RouteConfig[] {
  const hashed = new Set(clusters.filter(isHashed).map(({ name }) => name));
  if (hashed.size === 0) return routeConfigs;
  const stay = (route: Route): Route => {
    if (!mustStay(route, hashed)) return route;
    // A route stands in the virtual host of each of its hosts.
    const known = staying.get(route) ?? stayOnHost(route);
    staying.set(route, known);
    return known;
  };
  return routeConfigs.map((config) => ({
    ...config,
    virtualHosts: config.virtualHosts.map((host) => ({ ...host, routes: host.routes.map(stay) })),
  }));
}

function isHashed({ balancer }: Cluster): boolean {
  return balancer.kind === "ring-hash" || balancer.kind === "maglev";
}

function mustStay({ action }: Route, hashed: ReadonlySet<string>): boolean {
  if (action.kind !== "forward" || action.retry === null) return false;
  return action.clusters.some(({ cluster }) => hashed.has(cluster));
}

function stayOnHost(route: Route): Route {
  const { action } = route;
  if (action.kind !== "forward" || action.retry === null) return route;
  return { ...route, action: { ...action, retry: { ...action.retry, avoidsPreviousHosts: false } } };
}
