// Phases that decide where an exchange goes: is the connection still trusted, is the target well formed, whose host is it, must
// it come over TLS, which route. Each phase either answers the exchange or hands it on.
import { isMisdirected } from "@sluice/core/match";
import { isPlainQuery, normalizePath } from "@sluice/core/model";
import type { Exchange } from "../exchange/exchange.ts";
import { sendFailure, sendHttpsRedirect } from "./local-response.ts";
import type { RuntimeRoute } from "./runtime-route.ts";
import type { RuntimeTable } from "./runtime-table.ts";

/** Gives the host that a redirect to https names, from the authority of a request on this listener. */
export type HttpsAuthority = (authority: string, listener: string) => string;

/** The route of the exchange, or null when the exchange has been answered. Sets `exchange.selection` and normalises its path. */
export function selectRoute(
  exchange: Exchange,
  table: RuntimeTable,
  httpsAuthority: HttpsAuthority,
): RuntimeRoute | null {
  exchange.selection = table.unmatched;
  const { downstream } = exchange;
  const listener = table.listeners.get(downstream.listener);
  const chain = listener?.chains.get(downstream.filterChain);
  // The chain this connection was let in by is gone, or demands something else of its clients now: a handshake that would not be
  // accepted today may not be used today. The client connects anew and meets the new chain. The same goes for one that now forwards bytes.
  const routes = chain?.routes ?? null;
  if (listener === undefined || chain === undefined || routes === null || chain.trust !== downstream.trust) {
    return refuse(exchange, "chain_changed");
  }
  const path = normalizePath(exchange.path);
  if (path === null || !isPlainQuery(exchange.query)) return refuse(exchange, "bad_path");
  exchange.path = path;

  if (listener.chainIndex !== null && isMisdirected(listener.chainIndex, chain.chain, exchange.host)) {
    return refuse(exchange, "misdirected");
  }
  const matcher = routes.find(exchange.host);
  if (matcher === null) return refuse(exchange, "route_not_found");
  const virtualHost = routes.runtimeOf(matcher.virtualHost);
  exchange.selection = virtualHost.unmatched;
  // Before the routes, as Envoy does: a host that requires TLS redirects every path (istio-semantics 2.9).
  if (virtualHost.requireTls && downstream.scheme === "http") {
    sendHttpsRedirect(exchange, httpsAuthority(exchange.authority, downstream.listener));
    return null;
  }
  const route = virtualHost.routeAt(matcher.match(exchange));
  if (route === null) return refuse(exchange, "route_not_found");
  exchange.selection = route;
  return route;
}

function refuse(exchange: Exchange, code: Parameters<typeof sendFailure>[1]): null {
  sendFailure(exchange, code);
  return null;
}
