// `pc route`: the table's route configs as Envoy would hold them.
import type { Route, RouteConfig, Table, VirtualHost } from "../model/index.ts";
import { type Dialect, type JsonObject, virtualServiceMetadata, withName } from "./json.ts";
import { dumpLegacyRouteConfig } from "./legacy-routes.ts";
import { dumpAction } from "./route-action.ts";
import { dumpMatch } from "./route-match.ts";
import { dumpPolicy } from "./route-policy.ts";

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
    ...(host.requireTls ? { requireTls: "ALL" } : {}),
    ...(host.routes.length === 0 ? {} : { includeRequestAttemptCount: true }),
  };
}

function dumpRoute(route: Route): JsonObject {
  return {
    ...(route.name === "" ? {} : { name: route.name }),
    match: dumpMatch(route.match, "modern"),
    ...dumpAction(route.action),
    metadata: virtualServiceMetadata(route.virtualService),
    decorator: { operation: route.operation },
    ...dumpPolicy(route.policy),
  };
}
