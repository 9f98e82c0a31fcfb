// The routes of one cleartext listener or one TLS server: its virtual hosts (istio-semantics 2.3).
import type { Resource, Route, RouteConfig, VirtualHost, VirtualServiceSpec } from "../model/index.ts";
import type { CompileContext } from "./context.ts";
import { type BoundServer, describeServer, gatewayName, serverSite } from "./gateways.ts";
import type { HiddenRoutes } from "./hidden-routes.ts";
import { compareText } from "./order.ts";
import { isCatchAll } from "./route-match.ts";
import { buildRoutes } from "./routes.ts";
import { bareHost, hostsForNamespace, intersectHosts } from "./server-hosts.ts";
import { virtualServiceHosts } from "./virtual-services.ts";

type VirtualService = Resource<VirtualServiceSpec>;

/** What the route configs of one table share. */
export interface RouteConfigScope {
  readonly context: CompileContext;
  readonly virtualServices: ReadonlyMap<string, readonly VirtualService[]>;
  /** VirtualServices that got a route somewhere; filled while route configs are built. */
  readonly used: Set<VirtualService>;
  readonly hidden: HiddenRoutes;
}

/** A virtual host while servers and VirtualServices still add to it. */
interface Draft {
  readonly name: string;
  readonly domain: string;
  requireTls: boolean;
  readonly routes: Route[];
  readonly servers: Set<BoundServer>;
  readonly owners: Set<VirtualService>;
}

/** Builds the route config that `servers` share, first server first. */
export function buildRouteConfig(
  names: { readonly name: string; readonly legacyName: string },
  servers: readonly BoundServer[],
  scope: RouteConfigScope,
): RouteConfig {
  const drafts = new Map<string, Draft>();
  const routesOf = rememberRoutes(scope);
  for (const server of servers) addServer(server, drafts, { scope, routesOf });
  for (const server of servers) addRedirects(server, drafts);
  const port = servers[0]?.server.port.number ?? 0;
  const finished = [...drafts.values()].map((draft) => {
    warnRedirected(draft, scope);
    const virtualHost = finishVirtualHost(draft);
    scope.hidden.report({ host: draft.domain, owners: draft.owners, routes: virtualHost.routes });
    return virtualHost;
  });
  const virtualHosts = finished.toSorted((a, b) => compareText(a.name, b.name));
  return { ...names, port, virtualHosts: virtualHosts.length > 0 ? virtualHosts : [blackhole(port)] };
}

type RoutesOf = (server: BoundServer, virtualService: VirtualService) => readonly Route[];

// Routes are built once for a Gateway and VirtualService, with the port of the first server that uses them: two ports of one
// Gateway that translate to one port see the `match.port` of the first. Istio's rule.
function rememberRoutes({ context }: RouteConfigScope): RoutesOf {
  const built = new Map<string, Map<VirtualService, readonly Route[]>>();
  return (server, virtualService) => {
    const gateway = gatewayName(server.gateway);
    const ofGateway = built.get(gateway) ?? new Map<VirtualService, readonly Route[]>();
    built.set(gateway, ofGateway);
    let routes = ofGateway.get(virtualService);
    if (routes === undefined) {
      const isTls = server.kind === "tls";
      routes = buildRoutes({ virtualService, gateway, port: server.server.port.number, isTls }, context);
      ofGateway.set(virtualService, routes);
    }
    return routes;
  };
}

function addServer(
  server: BoundServer,
  drafts: Map<string, Draft>,
  { scope, routesOf }: { readonly scope: RouteConfigScope; readonly routesOf: RoutesOf },
): void {
  for (const virtualService of scope.virtualServices.get(gatewayName(server.gateway)) ?? []) {
    const serverHosts = hostsForNamespace(server.hosts, virtualService.namespace);
    const hosts = intersectHosts(serverHosts, virtualServiceHosts(virtualService));
    const routes = hosts.length === 0 ? [] : routesOf(server, virtualService);
    if (routes.length === 0) continue;
    scope.used.add(virtualService);
    for (const host of hosts) {
      const draft = draftOf(drafts, host, server);
      for (const route of routes) draft.routes.push(route);
      draft.servers.add(server);
      draft.owners.add(virtualService);
      // Sticky: one server that redirects this host is enough, whichever comes first.
      if (redirectsToHttps(server)) draft.requireTls = true;
    }
  }
}

// Hosts that redirect but have no VirtualService get a virtual host without routes: the redirect is decided before routes are
// looked at. Istio takes the raw string here, so that `ns/host` gives a domain nobody can ask for; the bare host is meant.
function addRedirects(server: BoundServer, drafts: Map<string, Draft>): void {
  if (!redirectsToHttps(server)) return;
  for (const host of server.hosts.map(bareHost)) {
    if (!drafts.has(host)) draftOf(drafts, host, server).requireTls = true;
  }
}

function redirectsToHttps(server: BoundServer): boolean {
  return server.server.tls?.httpsRedirect === true;
}

function draftOf(drafts: Map<string, Draft>, host: string, { server }: BoundServer): Draft {
  let draft = drafts.get(host);
  if (draft === undefined) {
    const domain = domainOf(host);
    const none = { requireTls: false, routes: [], servers: new Set<BoundServer>(), owners: new Set<VirtualService>() };
    draft = { name: `${domain}:${server.port.number}`, domain, ...none };
    drafts.set(host, draft);
  }
  return draft;
}

/** A server that would answer in clear, were it not for another one's `httpsRedirect`. */
function warnRedirected({ domain, requireTls, servers }: Draft, { context }: RouteConfigScope): void {
  if (!requireTls) return;
  const redirecting = [...servers].find(redirectsToHttps);
  if (redirecting === undefined) return;
  for (const server of [...servers].filter((candidate) => !redirectsToHttps(candidate))) {
    context.findings.warn(serverSite(server), {
      code: "redirect-shared",
      message: `requests for "${domain}" are redirected to https here too: ${describeServer(redirecting)} shares the host and has httpsRedirect`,
      hint: "Let both servers say the same.",
    });
  }
}

/** A host as it stands in a request: IPv6 addresses in brackets. */
function domainOf(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}

// A route that matches everything goes behind the others, which keep their order: with several VirtualServices on one host the
// catch-all of the first would hide all of the second.
function finishVirtualHost({ name, domain, requireTls, routes }: Draft): VirtualHost {
  const specific = routes.filter((route) => !isCatchAll(route.match));
  const catchAll = routes.filter((route) => isCatchAll(route.match));
  return { name, domains: [domain], requireTls, routes: [...specific, ...catchAll] };
}

function blackhole(port: number): VirtualHost {
  return { name: `blackhole:${port}`, domains: ["*"], requireTls: false, routes: [] };
}
