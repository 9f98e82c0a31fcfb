// What the last compilation made, so that the next one makes the same objects where nothing changed. It never decides what is made: the same
// resources give the same table with any memory.
import type { Route, RouteConfig, VirtualHost } from "../model/index.ts";
import { RouteMemory } from "./route-memory.ts";

export class CompileMemory {
  readonly routes = new RouteMemory();
  /** Of routes whose retries have to stay on their endpoint: the route that does. */
  readonly stayingRoutes = new WeakMap<Route, Route>();
  #former = new Map<string, VirtualHost>();

  /** The route configs, with the virtual hosts of the last round where they hold the same routes. Ends the round. */
  settle(routeConfigs: readonly RouteConfig[]): readonly RouteConfig[] {
    const used = new Map<string, VirtualHost>();
    const settled = routeConfigs.map((config) => ({
      ...config,
      virtualHosts: config.virtualHosts.map((host) => {
        const key = `${config.name}/${host.name}`;
        const former = this.#former.get(key);
        const same = former !== undefined && isSameHost(former, host) ? former : host;
        used.set(key, same);
        return same;
      }),
    }));
    this.#former = used;
    this.routes.endRound();
    return settled;
  }
}

/** The same routes, not equal ones: `RouteMemory` gives the same where nothing changed. */
function isSameHost(a: VirtualHost, b: VirtualHost): boolean {
  return (
    a.name === b.name &&
    a.requireTls === b.requireTls &&
    isSameList(a.domains, b.domains) &&
    isSameList(a.routes, b.routes)
  );
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((entry, index) => entry === b[index]);
}
