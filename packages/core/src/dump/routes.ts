// `pc route`: the table's route configs as Envoy would hold them.
import type { Route, RouteAction, RouteConfig, Table, VirtualHost } from "../model/index.ts";
import { type Dialect, formatDuration, type JsonObject, virtualServiceMetadata, withName } from "./json.ts";
import { dumpMatch } from "./route-match.ts";

/**
 * Route configs in Envoy's shape; only those of that name when one is given. Sorted by name, in 1.0 the other way round: the order
 * its istioctl printed them in.
 */
export function dumpRoutes(table: Table, dialect: Dialect, name?: string): readonly JsonObject[] {
  if (dialect === "modern") return withName(table.routeConfigs.map(dumpRouteConfig), name);
  const legacy = table.routeConfigs.toSorted((a, b) => (a.legacyName < b.legacyName ? 1 : -1));
  return withName(legacy.map(dumpLegacyRouteConfig), name);
}

function dumpRouteConfig(config: RouteConfig): JsonObject {
  return {
    name: config.name,
    virtualHosts: config.virtualHosts.map(dumpVirtualHost),
    validateClusters: false,
    maxDirectResponseBodySizeBytes: 1_048_576,
    ignorePortInHostMatching: true,
  };
}

function dumpVirtualHost(host: VirtualHost): JsonObject {
  return {
    name: host.name,
    domains: host.domains,
    routes: host.routes.map(dumpRoute),
    ...requireTls(host),
    ...(host.routes.length === 0 ? {} : { includeRequestAttemptCount: true }),
  };
}

function dumpRoute(route: Route): JsonObject {
  return {
    ...(route.name === "" ? {} : { name: route.name }),
    match: dumpMatch(route.match, "modern"),
    route: dumpAction(route.action, "modern"),
    metadata: virtualServiceMetadata(route.virtualService),
    decorator: { operation: route.operation },
  };
}

/** Without a timeout and without retries: this release has neither, so none is printed. */
function dumpAction(action: RouteAction, dialect: Dialect): JsonObject {
  if (action.kind !== "forward") return {};
  const { clusters } = action;
  const [first] = clusters;
  const target =
    clusters.length === 1 && first !== undefined
      ? { cluster: first.cluster }
      : { weightedClusters: { clusters: clusters.map(({ cluster, weight }) => ({ name: cluster, weight })) } };
  return { ...target, timeout: formatDuration(0, dialect), maxGrpcTimeout: formatDuration(0, dialect) };
}

function dumpLegacyRouteConfig(config: RouteConfig): JsonObject {
  // 1.0 made virtual hosts from VirtualServices only: a redirect without one was a 404 there.
  const hosts = config.virtualHosts.filter((host) => host.routes.length > 0);
  return {
    name: config.legacyName,
    virtualHosts: hosts.length === 0 ? [legacyBlackhole(config.port)] : hosts.map(dumpLegacyVirtualHost),
    validateClusters: false,
  };
}

function dumpLegacyVirtualHost(host: VirtualHost): JsonObject {
  const port = host.name.slice(host.name.lastIndexOf(":"));
  return {
    name: host.name,
    domains: host.domains.flatMap((domain) => [domain, domain + port]),
    routes: host.routes.map((route) => ({
      match: dumpMatch(route.match, "istio-1.0"),
      route: dumpAction(route.action, "istio-1.0"),
      decorator: { operation: route.operation },
    })),
    ...requireTls(host),
  };
}

function legacyBlackhole(port: number): JsonObject {
  const answer = { match: { prefix: "/" }, directResponse: { status: 404 } };
  return { name: `blackhole:${port}`, domains: ["*"], routes: [answer] };
}

function requireTls(host: VirtualHost): JsonObject {
  return host.requireTls ? { requireTls: "ALL" } : {};
}
