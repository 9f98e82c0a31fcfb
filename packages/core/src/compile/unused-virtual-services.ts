// VirtualServices that ask for a place on a gateway and end without a single route: why, for each Gateway they name. Without
// this an operator sees a 404 and nothing else.
import { type Resource, selects, type VirtualServiceSpec, visibilityFrom } from "../model/index.ts";
import { type BoundServer, gatewayName, type MergedListener } from "./gateways.ts";
import { inCreationOrder } from "./order.ts";
import type { RouteConfigScope } from "./route-config.ts";
import { hostsForNamespace, intersectHosts } from "./server-hosts.ts";
import { carriesTcp, terminatesTls } from "./tls-context.ts";
import { boundGateways, virtualServiceHosts } from "./virtual-services.ts";

type VirtualService = Resource<VirtualServiceSpec>;

/** Warns about every VirtualService that names existing Gateways but got no route from any. */
export function reportUnused(merged: readonly MergedListener[], scope: RouteConfigScope): void {
  const { findings, resources } = scope.context;
  const known = new Set(resources.gateways.map(gatewayName));
  const servers = merged.flatMap((listener) => listener.servers);
  for (const virtualService of inCreationOrder(resources.virtualServices)) {
    // A Gateway that does not exist is reported where references are checked.
    const gateways = boundGateways(virtualService).filter((name) => known.has(name));
    if (gateways.length === 0 || scope.used.has(virtualService)) continue;
    const reasons = gateways.map(
      (name) => `Gateway ${name}: ${explainUnused(virtualService, name, { servers, scope })}`,
    );
    findings.warn(
      { resource: virtualService, path: ["spec", "gateways"] },
      { code: "virtual-service-unused", message: `no route of it is served; ${reasons.join("; ")}` },
    );
  }
}

function explainUnused(
  virtualService: VirtualService,
  gateway: string,
  { servers, scope }: { readonly servers: readonly BoundServer[]; readonly scope: RouteConfigScope },
): string {
  const { options, resources } = scope.context;
  if (visibilityFrom(options.gateway.namespace, virtualService) === "hidden") {
    return `exportTo hides it from namespace ${options.gateway.namespace}, where the gateway runs`;
  }
  const declared = resources.gateways.find((candidate) => gatewayName(candidate) === gateway);
  const bound = servers.filter((server) => server.gateway === declared);
  if (bound.length === 0) {
    const isSelected = declared !== undefined && selects(declared.spec.selector, options.gateway.labels);
    return isSelected ? "all its servers are skipped" : "its selector does not match the gateway's labels";
  }
  const kinds = (["http", "tls", "tcp"] as const).filter((kind) => (virtualService.spec[kind] ?? []).length > 0);
  const fitting = bound.filter((server) => kinds.includes(routeKind(server)));
  if (fitting.length === 0) return `none of its servers takes ${kinds.join(" or ")} routes`;
  return explainHosts(virtualService, fitting);
}

/** Which list of a VirtualService a server's routes come from. */
function routeKind({ kind, server }: BoundServer): "http" | "tls" | "tcp" {
  if (carriesTcp(server)) return "tcp";
  return kind === "tls" && terminatesTls(server.tls) ? "http" : kind;
}

function explainHosts(virtualService: VirtualService, servers: readonly BoundServer[]): string {
  const hosts = virtualServiceHosts(virtualService);
  const isShared = servers.some(
    (server) => intersectHosts(hostsForNamespace(server.hosts, virtualService.namespace), hosts).length > 0,
  );
  if (isShared) {
    const reads = servers.some((server) => routeKind(server) === "http");
    return reads
      ? "no rule is meant for its ports, or the rules have no destination"
      : "no rule is meant for its ports, or an earlier rule takes its connections";
  }
  const offered = [...new Set(servers.flatMap((server) => server.hosts))].map((host) => `"${host}"`).join(", ");
  return `none of its hosts (${offered}) covers ${hosts.map((host) => `"${host}"`).join(", ")}`;
}
