// Routes as the data path uses them.
import { PathRewriter } from "@sluice/core/match";
import type {
  FaultPolicy,
  ForwardAction,
  Mirror,
  Route,
  RoutePolicy,
  WeightedCluster,
  WeightedDestination,
} from "@sluice/core/model";
import type { ExchangeRecorder, RouteSelection } from "../exchange/exchange.ts";
import { RuntimeCors } from "./cors.ts";
import { type RuntimeAnswer, RuntimeDirectResponse } from "./direct-response.ts";
import { compileOperations, type HeaderOperations } from "./header-operations.ts";
import { RuntimeRedirect } from "./redirect.ts";
import { RequestShaping } from "./request-shaping.ts";
import { retryOf, type RuntimeRetry } from "./retry-policy.ts";

export interface WeightedClusters {
  readonly clusters: readonly WeightedCluster[];
  /** Sum of the clusters' weights. */
  readonly totalWeight: number;
}

/** A route with its log and metric names made, and everything that can be made ready of what it does. */
export interface RuntimeRoute extends RouteSelection {
  /** What comes before the action; null for most. */
  readonly filters: RouteFilters | null;
  /** Exactly one of the two is set. */
  readonly forward: RuntimeForward | null;
  readonly answer: RuntimeAnswer | null;
}

export interface RouteFilters {
  readonly fault: FaultPolicy | null;
  readonly cors: RuntimeCors | null;
}

export interface RuntimeForward {
  /**
   * Header lines of the upstream's: the operation, the attempt, and as Envoy tells it how long the upstream is waited for where that is
   * limited.
   */
  readonly lines: string;
  readonly destinations: readonly RuntimeDestination[];
  /** Sum of the destinations' weights. */
  readonly totalWeight: number;
  /** 0: any time. */
  readonly timeoutMs: number;
  readonly retry: RuntimeRetry | null;
  readonly mirrors: readonly Mirror[] | null;
}

export interface RuntimeDestination {
  readonly cluster: string;
  readonly weight: number;
  /** What is done to requests; null: nothing. */
  readonly shaping: RequestShaping | null;
  /** What is done to the upstream's answers, most specific first; null: nothing. */
  readonly responseOperations: readonly HeaderOperations[] | null;
}

/** Gives the counter of a route; the same names give the same counter, so that counts survive a new table. */
export type RecorderOf = (virtualHost: string, routeName: string, destination: string) => ExchangeRecorder;

/** @param virtualHost its name */
export function makeRuntimeRoute(virtualHost: string, route: Route, recorderOf: RecorderOf): RuntimeRoute {
  const { action, policy } = route;
  const clusters = action.kind === "forward" ? action.clusters : [];
  const routeName = nameOfRoute(route);
  const destination = clusters.length === 1 ? hostOfCluster(clusters[0]?.cluster ?? "") : "";
  return {
    ...select(virtualHost, routeName, recorderOf(virtualHost, routeName, destination)),
    filters: runtimeFilters(policy),
    forward: action.kind === "forward" ? runtimeForward(route, action) : null,
    answer: action.kind === "forward" ? null : runtimeAnswer(route, action),
  };
}

function runtimeFilters(policy: RoutePolicy | null): RouteFilters | null {
  if (policy === null || (policy.fault === null && policy.cors === null)) return null;
  return { fault: policy.fault, cors: policy.cors === null ? null : new RuntimeCors(policy.cors) };
}

function runtimeForward(route: Route, action: ForwardAction): RuntimeForward {
  const { clusters, mirrors, retry, timeoutMs } = action;
  return {
    lines: `x-envoy-decorator-operation: ${route.operation}\r\nx-envoy-attempt-count: 1\r\n${timeoutLine(action)}`,
    destinations: clusters.map((destination) => runtimeDestination(route, action, destination)),
    totalWeight: sumOfWeights(clusters),
    timeoutMs,
    retry: retry === null || retry.attempts <= 0 ? null : retryOf(retry),
    mirrors: mirrors.length === 0 ? null : mirrors,
  };
}

function timeoutLine({ retry, timeoutMs }: ForwardAction): string {
  const limits = [retry?.perTryTimeoutMs ?? 0, timeoutMs].filter((limitMs) => limitMs > 0);
  return limits.length === 0 ? "" : `x-envoy-expected-rq-timeout-ms: ${Math.min(...limits)}\r\n`;
}

function runtimeDestination(
  { match, policy }: Route,
  { rewrite }: ForwardAction,
  { cluster, weight, headers, authority }: WeightedDestination,
): RuntimeDestination {
  const policies = [headers, policy?.headers ?? null];
  const shaping = {
    operations: compileOperations(policies, "request"),
    authority: rewrite?.authority ?? authority,
    path: rewrite === null || rewrite.path === null ? null : new PathRewriter(rewrite.path, match.path),
  };
  const isPlain = shaping.operations === null && shaping.authority === null && shaping.path === null;
  return {
    cluster,
    weight,
    shaping: isPlain ? null : new RequestShaping(shaping),
    responseOperations: compileOperations(policies, "response"),
  };
}

function runtimeAnswer({ match, policy }: Route, action: Exclude<Route["action"], ForwardAction>): RuntimeAnswer {
  return {
    action: action.kind === "redirect" ? new RuntimeRedirect(action, match.path) : new RuntimeDirectResponse(action),
    responseOperations: compileOperations([policy?.headers ?? null], "response"),
  };
}

export function select(virtualHost: string, routeName: string, recorder: ExchangeRecorder): RouteSelection {
  return { virtualHost, routeName, recorder };
}

export function sumOfWeights(clusters: readonly WeightedCluster[]): number {
  return clusters.reduce((sum, { weight }) => sum + weight, 0);
}

/** Draws by weight; undefined when there is nothing to draw. `random` is in [0, 1). */
export function drawWeighted<T extends { readonly weight: number }>(
  items: readonly T[],
  totalWeight: number,
  random: () => number,
): T | undefined {
  if (items.length > 1) {
    let left = random() * totalWeight;
    for (const item of items) {
      left -= item.weight;
      if (left < 0) return item;
    }
  }
  return items[0];
}

/** The name of a cluster drawn by weight. */
export function drawCluster({ clusters, totalWeight }: WeightedClusters, random: () => number): string {
  return drawWeighted(clusters, totalWeight, random)?.cluster ?? "";
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
