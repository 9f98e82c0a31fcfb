// The clusters that routes lead to, and their endpoints. A cluster nobody names is not built; a name whose host or port nobody
// declares has no cluster, and requests to it get 503 (NC).
import type { Cluster, Listener, RouteAction, RouteConfig } from "../model/index.ts";
import { instancesOfSubset, placeEndpoints } from "./cluster-endpoints.ts";
import { type ClusterKey, formatClusterName, parseClusterName } from "./cluster-name.ts";
import type { CompileContext } from "./context.ts";
import { DestinationRuleIndex } from "./destination-rules.ts";
import { EmptySubsets } from "./empty-subsets.ts";
import { effectivePolicy } from "./effective-policy.ts";
import { discover } from "./instances.ts";
import { findSubset, type FoundSubset, type MergedRule } from "./merged-rule.ts";
import { compareText } from "./order.ts";
import type { SecretCollector } from "./secrets.ts";
import { buildTransport } from "./upstream-transport.ts";

/** What leads to clusters, and what they need. */
export interface ClusterScope {
  readonly context: CompileContext;
  readonly secrets: SecretCollector;
  readonly routeConfigs: readonly RouteConfig[];
  readonly listeners: readonly Listener[];
}

/** Clusters of every route and every raw connection, sorted by name. */
export function buildClusters(scope: ClusterScope): readonly Cluster[] {
  const { context } = scope;
  const rules = new DestinationRuleIndex(context);
  const builder: ClusterBuilder = { ...scope, rules, emptySubsets: new EmptySubsets(context.findings) };
  const http = httpClusters(scope.routeConfigs);
  const names = new Set([...http, ...rawClusters(scope.listeners)]);
  return [...names].toSorted(compareText).flatMap((name) => {
    const key = parseClusterName(name);
    const cluster = key === null ? null : buildCluster({ ...key, carriesHttp: http.has(name) }, builder);
    return cluster === null ? [] : [cluster];
  });
}

interface ClusterBuilder extends ClusterScope {
  readonly rules: DestinationRuleIndex;
  readonly emptySubsets: EmptySubsets;
}

function buildCluster(
  { carriesHttp, ...key }: ClusterKey & { readonly carriesHttp: boolean },
  { context, secrets, rules, emptySubsets }: ClusterBuilder,
): Cluster | null {
  const known = context.services.find(key.host, key.port);
  if (known === null) return null;
  const rule = rules.find(key.host, (known.kind === "service" ? known.service : known.entry).namespace);
  const subset = rule === null ? null : findSubset(rule, key.subset);
  // A subset exists only through a DestinationRule. Leading its share to every endpoint instead would send production traffic to
  // the canary it was meant to keep apart.
  if (key.subset !== "" && subset === null) return null;
  const { discovery, instances } = discover(known, key.host, context);
  const selected = instancesOfSubset(instances, subset);
  if (subset !== null && selected.length === 0) emptySubsets.report(subset, instances);
  const policy = effectivePolicy(rule, subset, key.port);
  return {
    name: formatClusterName(key),
    ...key,
    discovery,
    ...buildTransport({ known, policy, carriesHttp, secrets }),
    destinationRule: describeRule(rule, subset),
    endpoints: placeEndpoints(selected, policy, context.options.gateway),
  };
}

function describeRule(rule: MergedRule | null, subset: FoundSubset | null): Cluster["destinationRule"] {
  const source = subset?.rule ?? rule?.speaker;
  if (source === undefined) return null;
  return { namespace: source.namespace, name: source.name, apiVersion: source.document.apiVersion };
}

function httpClusters(routeConfigs: readonly RouteConfig[]): ReadonlySet<string> {
  const routes = routeConfigs.flatMap(({ virtualHosts }) => virtualHosts.flatMap((host) => host.routes));
  return new Set(routes.flatMap(({ action }) => clustersOf(action)));
}

function clustersOf(action: RouteAction): readonly string[] {
  return action.kind === "forward" ? [...action.clusters, ...action.mirrors].map(({ cluster }) => cluster) : [];
}

function rawClusters(listeners: readonly Listener[]): readonly string[] {
  const chains = listeners.flatMap(({ filterChains }) => filterChains);
  return chains.flatMap(({ forward }) => (forward?.clusters ?? []).map(({ cluster }) => cluster));
}
