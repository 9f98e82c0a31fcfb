// Picks the route of a virtual host: a plain walk while there are few, an index above that.
import type { VirtualHost } from "../model/index.ts";
import { CompiledRoute } from "./compiled-route.ts";
import type { MatchRequest } from "./match-request.ts";
import { RouteIndex } from "./route-index.ts";

/** Up to this many routes a walk is as fast as the index, which costs some kilobytes a virtual host. */
const maxWalkedRoutes = 8;

/** Matches requests against one virtual host. Costs next to nothing until its first request: ten thousand hosts are mostly idle. */
export class VirtualHostMatcher {
  readonly virtualHost: VirtualHost;
  /** Null until the first request, and where there is an index instead. */
  #routes: readonly CompiledRoute[] | null = null;
  #index: RouteIndex | null = null;

  constructor(virtualHost: VirtualHost) {
    this.virtualHost = virtualHost;
  }

  /** Index of the first route that matches, or -1. Only this virtual host is searched, whatever `*` would have (istio-semantics 2.4). */
  match(request: MatchRequest): number {
    if (this.#index !== null) return this.#index.find(request);
    const routes = this.#routes ?? this.#compile();
    for (let index = 0; index < routes.length; index++) if (routes[index]?.matches(request) === true) return index;
    return -1;
  }

  #compile(): readonly CompiledRoute[] {
    const routes = this.virtualHost.routes.map((route) => new CompiledRoute(route.match));
    if (routes.length > maxWalkedRoutes) this.#index = new RouteIndex(routes);
    else this.#routes = routes;
    return routes;
  }
}

const matchers = new WeakMap<VirtualHost, VirtualHostMatcher>();

/**
 * The matcher of a virtual host, the same one for the same object. `decodeTable` keeps the objects of unchanged resources, so a new
 * table compiles only the virtual hosts that changed.
 */
export function matcherFor(virtualHost: VirtualHost): VirtualHostMatcher {
  let matcher = matchers.get(virtualHost);
  if (matcher === undefined) {
    matcher = new VirtualHostMatcher(virtualHost);
    matchers.set(virtualHost, matcher);
  }
  return matcher;
}
