// `pc route` as Istio 1.0 printed it. The cases test/golden/seed-*.yaml hold what it printed, byte for byte.
import {
  defaultRetryPolicy,
  type ForwardAction,
  type RetryPolicy,
  type Route,
  type RouteConfig,
  type VirtualHost,
} from "../model/index.ts";
import { formatDuration, type JsonObject, optional } from "./json.ts";
import { dumpDirectResponse, dumpRedirect } from "./route-action.ts";
import { dumpMatch } from "./route-match.ts";

export function dumpLegacyRouteConfig(config: RouteConfig): JsonObject {
  // 1.0 made virtual hosts from VirtualServices only: a redirect without one was a 404 there.
  const hosts = config.virtualHosts.filter((host) => host.routes.length > 0);
  return {
    name: config.legacyName,
    virtualHosts: hosts.length === 0 ? [blackhole(config.port)] : hosts.map(dumpVirtualHost),
    validateClusters: false,
  };
}

function dumpVirtualHost(host: VirtualHost): JsonObject {
  const port = host.name.slice(host.name.lastIndexOf(":"));
  return {
    name: host.name,
    domains: host.domains.flatMap((domain) => [domain, domain + port]),
    routes: host.routes.map(dumpRoute),
    ...(host.requireTls ? { requireTls: "ALL" } : {}),
  };
}

function dumpRoute(route: Route): JsonObject {
  return {
    match: dumpMatch(route.match, "istio-1.0"),
    ...dumpAction(route),
    decorator: { operation: route.operation },
  };
}

function dumpAction({ action }: Route): JsonObject {
  if (action.kind === "redirect") return { redirect: dumpRedirect(action) };
  return action.kind === "forward" ? { route: dumpForward(action) } : { directResponse: dumpDirectResponse(action) };
}

function dumpForward({ clusters, timeoutMs, retry, rewrite }: ForwardAction): JsonObject {
  const [first] = clusters;
  const target =
    clusters.length === 1 && first !== undefined
      ? { cluster: first.cluster }
      : { weightedClusters: { clusters: clusters.map(({ cluster, weight }) => ({ name: cluster, weight })) } };
  const timeout = formatDuration(timeoutMs, "istio-1.0");
  return {
    ...target,
    ...optional("prefixRewrite", rewrite?.path?.kind === "prefix" ? rewrite.path.value : null),
    ...optional("hostRewrite", rewrite?.authority),
    timeout,
    // 1.0 had no default: only what somebody asked for is printed.
    ...optional("retryPolicy", retry === null || retry === defaultRetryPolicy ? null : dumpRetryPolicy(retry)),
    maxGrpcTimeout: timeout,
  };
}

function dumpRetryPolicy({ attempts, conditions, perTryTimeoutMs }: RetryPolicy): JsonObject {
  const perTryTimeout = perTryTimeoutMs === 0 ? null : formatDuration(perTryTimeoutMs, "istio-1.0");
  return { retryOn: conditions.join(","), numRetries: attempts, ...optional("perTryTimeout", perTryTimeout) };
}

function blackhole(port: number): JsonObject {
  const answer = { match: { prefix: "/" }, directResponse: { status: 404 } };
  return { name: `blackhole:${port}`, domains: ["*"], routes: [answer] };
}
