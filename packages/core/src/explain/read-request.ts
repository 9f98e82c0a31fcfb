// The stages of a request on an established connection: path, authority, virtual host, redirect to TLS, route, cluster.
import { httpsAuthority } from "../match/https-authority.ts";
import type { MatchRequest } from "../match/match-request.ts";
import { normalizeAuthority } from "../model/host.ts";
import type { FilterChain, Listener, RouteConfig, VirtualHost } from "../model/index.ts";
import { nearest } from "../parse/near-miss.ts";
import { readFilterChain, readVirtualHost } from "./naive-names.ts";
import { describeRoute, findNearMisses, readRoute } from "./naive-route.ts";
import { toMatchRequest } from "./question-request.ts";
import { quote } from "./quote.ts";
import { readAction } from "./read-action.ts";
import { reject } from "./reading.ts";
import type { Outcome, Reading } from "./reading.ts";

/**
 * Reads on from the chain that took the connection.
 * @param listener of a TLS connection, whose other chains' hosts are off limits; null in clear
 */
export function readRequest(reading: Reading, chain: FilterChain, listener: Listener | null): Outcome {
  const { table, question, diary, findings } = reading;
  const request = toMatchRequest(question);
  if (request === null) {
    diary.rejected("path", quote(question.path), "it holds what no path may, or could be read in two ways");
    return { action: "reject", status: 400 };
  }
  const host = normalizeAuthority(question.host);
  const own = listener === null ? null : readFilterChain(listener.filterChains, host === "" ? null : host, null);
  if (own !== null && own !== chain) {
    diary.rejected(
      "authority",
      quote(question.host),
      `the host belongs to filter chain ${own.name}; on a connection of ${chain.name} it is misdirected`,
    );
    return { action: "reject", status: 421 };
  }
  const routeConfig = table.routeConfigs.find(({ name }) => name === chain.routeConfig);
  if (routeConfig === undefined) {
    diary.rejected("virtual-host", chain.routeConfig ?? "", "the chain's route config does not exist");
    return reject("no-virtual-host", 404);
  }
  findings.routeConfig = routeConfig.name;
  return readRouteConfig(reading, routeConfig, { request, host });
}

function readRouteConfig(
  reading: Reading,
  routeConfig: RouteConfig,
  { request, host }: { readonly request: MatchRequest; readonly host: string },
): Outcome {
  const { table, question, diary, findings } = reading;
  const virtualHost = readVirtualHost(routeConfig.virtualHosts, host, diary);
  if (virtualHost === null) {
    noteNearHost(reading, routeConfig, host);
    return reject("no-virtual-host", 404);
  }
  findings.virtualHost = virtualHost.name;
  // Before any route is looked at, and by the connection: an X-Forwarded-Proto header proves nothing (istio-semantics 2.9).
  if (virtualHost.requireTls && question.scheme === "http") {
    diary.matched("https-redirect", virtualHost.name, "the server has httpsRedirect and the request came in clear");
    const query = request.query === "" ? "" : `?${request.query}`;
    // Where listeners are really bound an edge knows; what clients are told to use is what Gateways declare.
    const ports = { listeners: table.listeners, boundPort: () => undefined };
    const authority = httpsAuthority(question.host, findings.listener ?? "", ports);
    return { action: "redirect", status: 301, location: `https://${authority}${request.path}${query}` };
  }
  return readRoutes(reading, virtualHost, request);
}

function readRoutes(reading: Reading, virtualHost: VirtualHost, request: MatchRequest): Outcome {
  const { diary, findings } = reading;
  const index = readRoute(virtualHost, request, diary);
  noteNearMisses(reading, virtualHost, { request, end: index < 0 ? virtualHost.routes.length : index });
  const route = virtualHost.routes[index];
  if (route === undefined) {
    if (virtualHost.routes.length === 0)
      diary.rejected("route", virtualHost.name, "no virtual service is bound here: there are no routes");
    return reject("no-route", 404);
  }
  findings.route = route.name === "" ? index : route.name;
  return readAction(reading, route, request);
}

/** The host that differs by a slip of the pen, if there is one. */
function noteNearHost({ diary }: Reading, { virtualHosts }: RouteConfig, host: string): void {
  const near = nearest(
    host,
    virtualHosts.flatMap(({ domains }) => domains),
  );
  const owner = virtualHosts.find(({ domains }) => near !== null && domains.includes(near));
  if (near === null || near === "*" || owner === undefined) return;
  diary.rejected("near-miss", owner.name, `host ${quote(host)} is nearly ${near}`);
}

/** More of them than this are no longer near. */
const maxNearMisses = 5;

/** Repeats, at the end of the search, the routes that an operator is likely to have meant. */
function noteNearMisses(
  { diary }: Reading,
  virtualHost: VirtualHost,
  { request, end }: { readonly request: MatchRequest; readonly end: number },
): void {
  for (const { index, reason } of findNearMisses(virtualHost, request, { end, limit: maxNearMisses })) {
    const route = virtualHost.routes[index];
    if (route === undefined) continue;
    const { namespace, name } = route.virtualService;
    diary.rejected("near-miss", `route ${describeRoute(route, index)} of VirtualService ${namespace}/${name}`, reason);
  }
}
