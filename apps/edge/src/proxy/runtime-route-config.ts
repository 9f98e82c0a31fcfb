// The virtual hosts of a route config as the data path uses them. A host is made ready when it gets its first request and a route when it does, so
// that those that nobody asks for cost next to nothing, and the first request to a host of ten thousand routes does not wait for all of them.
import { buildVirtualHostIndex, type HostIndex, type VirtualHostMatcher } from "@sluice/core/match";
import type { RouteConfig, VirtualHost } from "@sluice/core/model";
import type { RouteSelection } from "../exchange/exchange.ts";
import { makeRuntimeRoute, type RecorderOf, type RuntimeRoute, select } from "./runtime-route.ts";

export class RuntimeRouteConfig {
  readonly source: RouteConfig;
  readonly #recorderOf: RecorderOf;
  readonly #hosts: HostIndex;
  readonly #virtualHosts = new Map<VirtualHost, RuntimeVirtualHost>();
  /** The last that was asked for: to find an object in a Map V8 leaves its compiled code. */
  #last: RuntimeVirtualHost | null = null;

  constructor(source: RouteConfig, recorderOf: RecorderOf) {
    this.source = source;
    this.#recorderOf = recorderOf;
    this.#hosts = buildVirtualHostIndex(source.virtualHosts);
  }

  /** @param host as `normalizeAuthority` returns it */
  find(host: string): VirtualHostMatcher | null {
    return this.#hosts.find(host);
  }

  runtimeOf(virtualHost: VirtualHost): RuntimeVirtualHost {
    if (this.#last?.source === virtualHost) return this.#last;
    let runtime = this.#virtualHosts.get(virtualHost);
    if (runtime === undefined) {
      runtime = new RuntimeVirtualHost(virtualHost, this.#recorderOf);
      this.#virtualHosts.set(virtualHost, runtime);
    }
    return (this.#last = runtime);
  }
}

export class RuntimeVirtualHost {
  readonly source: VirtualHost;
  readonly requireTls: boolean;
  /** What a request that no route takes is counted under. */
  readonly unmatched: RouteSelection;
  readonly #recorderOf: RecorderOf;
  /** Undefined until the route's first request. */
  readonly #routes: (RuntimeRoute | undefined)[];

  constructor(source: VirtualHost, recorderOf: RecorderOf) {
    this.requireTls = source.requireTls;
    this.unmatched = select(source.name, "", recorderOf(source.name, "", ""));
    this.source = source;
    this.#recorderOf = recorderOf;
    this.#routes = source.routes.map(() => undefined);
  }

  /** @param index as `VirtualHostMatcher.match` returns it; null for -1 */
  routeAt(index: number): RuntimeRoute | null {
    return this.#routes[index] ?? this.#makeRoute(index);
  }

  #makeRoute(index: number): RuntimeRoute | null {
    const route = this.source.routes[index];
    if (route === undefined) return null;
    return (this.#routes[index] = makeRuntimeRoute(this.source.name, route, this.#recorderOf));
  }
}
