// Retries of routes whose requests are bound to an endpoint by a hash: they stay with it (istio-semantics 2.6). A retry elsewhere would find
// none of the state that the hash is for.
import type { Cluster, Route, RouteConfig } from "../model/index.ts";

/** The route configs with every such route's retries allowed on the endpoint that failed. Routes that do not hash stay the same objects. */
export function keepHashedHosts(
  routeConfigs: readonly RouteConfig[],
  clusters: readonly Cluster[],
): readonly RouteConfig[] {
  const hashed = new Set(clusters.filter(isHashed).map(({ name }) => name));
  if (hashed.size === 0) return routeConfigs;
  // A route stands in the virtual host of each of its hosts.
  const changed = new Map<Route, Route>();
  const stay = (route: Route): Route => {
    const known = changed.get(route);
    if (known !== undefined) return known;
    const result = stayOnHost(route, hashed);
    changed.set(route, result);
    return result;
  };
  return routeConfigs.map((config) => ({
    ...config,
    virtualHosts: config.virtualHosts.map((host) => ({ ...host, routes: host.routes.map(stay) })),
  }));
}

function isHashed({ balancer }: Cluster): boolean {
  return balancer.kind === "ring-hash" || balancer.kind === "maglev";
}

function stayOnHost(route: Route, hashed: ReadonlySet<string>): Route {
  const { action } = route;
  if (action.kind !== "forward" || action.retry === null) return route;
  if (!action.clusters.some(({ cluster }) => hashed.has(cluster))) return route;
  return { ...route, action: { ...action, retry: { ...action.retry, avoidsPreviousHosts: false } } };
}
