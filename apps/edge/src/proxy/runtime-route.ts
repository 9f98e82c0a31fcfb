// Routes as the data path uses them. Made when a virtual host gets its first request: of ten thousand hosts most are idle.
import { buildVirtualHostIndex, type HostIndex, type VirtualHostMatcher } from "@sluice/core/match";
import type { Route, RouteConfig, VirtualHost, WeightedCluster } from "@sluice/core/model";
import type { ExchangeRecorder, RouteSelection } from "../exchange/exchange.ts";

export interface WeightedClusters {
  readonly clusters: readonly WeightedCluster[];
  /** Sum of the clusters' weights. */
  readonly totalWeight: number;
}

/** A route with its log and metric names made. */
export interface RuntimeRoute extends RouteSelection, WeightedClusters {
  readonly operation: string;
}

export interface RuntimeVirtualHost {
  readonly requireTls: boolean;
  readonly routes: readonly RuntimeRoute[];
  /** What a request that no route takes is counted under. */
  readonly unmatched: RouteSelection;
}

/** Gives the counter of a route; the same names give the same counter, so that counts survive a new table. */
export type RecorderOf = (virtualHost: string, routeName: string, destination: string) => ExchangeRecorder;

export class RuntimeRouteConfig {
  readonly source: RouteConfig;
  readonly #recorderOf: RecorderOf;
  readonly #hosts: HostIndex;
  readonly #virtualHosts = new Map<VirtualHost, RuntimeVirtualHost>();

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
    let runtime = this.#virtualHosts.get(virtualHost);
    if (runtime === undefined) {
      runtime = {
        requireTls: virtualHost.requireTls,
        routes: virtualHost.routes.map((route) => this.#runtimeRoute(virtualHost.name, route)),
        unmatched: select(virtualHost.name, "", this.#recorderOf(virtualHost.name, "", "")),
      };
      this.#virtualHosts.set(virtualHost, runtime);
    }
    return runtime;
  }

  #runtimeRoute(virtualHost: string, route: Route): RuntimeRoute {
    const clusters = route.action.kind === "forward" ? route.action.clusters : [];
    const routeName = nameOfRoute(route);
    const destination = clusters.length === 1 ? hostOfCluster(clusters[0]?.cluster ?? "") : "";
    return {
      ...select(virtualHost, routeName, this.#recorderOf(virtualHost, routeName, destination)),
      operation: route.operation,
      clusters,
      totalWeight: sumOfWeights(clusters),
    };
  }
}

export function select(virtualHost: string, routeName: string, recorder: ExchangeRecorder): RouteSelection {
  return { virtualHost, routeName, recorder };
}

export function sumOfWeights(clusters: readonly WeightedCluster[]): number {
  return clusters.reduce((sum, { weight }) => sum + weight, 0);
}

/** Draws a cluster by weight. `random` is in [0, 1). */
export function drawCluster({ clusters, totalWeight }: WeightedClusters, random: () => number): string {
  if (clusters.length > 1) {
    let left = random() * totalWeight;
    for (const { cluster, weight } of clusters) {
      left -= weight;
      if (left < 0) return cluster;
    }
  }
  return clusters[0]?.cluster ?? "";
}

/** The rule's own name, or where it stands: `shop/shop-vs/http[0].match[1]`. */
function nameOfRoute(route: Route): string {
  if (route.name !== "") return route.name;
  const { namespace, name } = route.virtualService;
  const match = route.rule.match < 0 ? "" : `.match[${route.rule.match}]`;
  return `${namespace}/${name}/http[${route.rule.http}]${match}`;
}

/** `outbound|8000||httpbin.default.svc.cluster.local` → the host. */
export function hostOfCluster(cluster: string): string {
  return cluster.slice(cluster.lastIndexOf("|") + 1);
}
