// The clusters that routes lead to, and their endpoints. A cluster nobody names is not built; a name whose host or port nobody
// declares has no cluster, and requests to it get 503 (NC).
import { plainEndpoint } from "../model/index.ts";
import type {
  Cluster,
  Endpoint,
  Listener,
  Resource,
  RouteAction,
  RouteConfig,
  ServiceEntryPort,
  ServiceEntrySpec,
} from "../model/index.ts";
import { type ClusterKey, formatClusterName, parseClusterName } from "./cluster-name.ts";
import type { CompileContext } from "./context.ts";
import { DestinationRuleIndex } from "./destination-rules.ts";
import { serviceEndpoints } from "./endpoints.ts";
import { compareText } from "./order.ts";
import type { SecretCollector } from "./secrets.ts";
import type { KnownPort } from "./service-registry.ts";
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
  const clusters: Cluster[] = [];
  const rules = new DestinationRuleIndex(scope.context);
  const http = httpClusters(scope.routeConfigs);
  const names = new Set([...http, ...rawClusters(scope.listeners)]);
  for (const name of [...names].toSorted(compareText)) {
    const key = parseClusterName(name);
    const known = key === null ? null : scope.context.services.find(key.host, key.port);
    // A subset exists only through a DestinationRule. Leading its share to every endpoint instead would send production traffic to
    // the canary it was meant to keep apart.
    if (key === null || known === null || key.subset !== "") continue;
    const source = findEndpoints(known, key, scope.context);
    if (source === null) continue;
    const rule = rules.find(key.host, (known.kind === "service" ? known.service : known.entry).namespace);
    const transport = buildTransport({ known, rule, carriesHttp: http.has(name), secrets: scope.secrets });
    const { discovery, endpoints } = source;
    clusters.push({ name: formatClusterName(key), ...key, discovery, ...transport, endpoints });
  }
  return clusters;
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

/** Null for a host whose addresses are not known here. */
function findEndpoints(
  known: KnownPort,
  key: ClusterKey,
  context: CompileContext,
): Pick<Cluster, "discovery" | "endpoints"> | null {
  if (known.kind === "service") {
    return { discovery: "EDS", endpoints: serviceEndpoints(known.service, known.port, context.objects) };
  }
  const { resolution } = known.entry.spec;
  if (resolution === undefined) return null;
  const isDns = resolution === "DNS";
  const endpoints = entryEndpoints(known.entry, known.port, isDns ? key.host : null);
  return { discovery: isDns ? "STRICT_DNS" : "STATIC", endpoints };
}

/** Endpoints of a ServiceEntry port; without any, DNS resolves the host itself. */
function entryEndpoints(
  entry: Resource<ServiceEntrySpec>,
  port: ServiceEntryPort,
  dnsHost: string | null,
): readonly Endpoint[] {
  const targetPort = port.targetPort ?? port.number;
  const listed = entry.spec.endpoints ?? [];
  if (listed.length === 0 && dnsHost !== null && !dnsHost.startsWith("*")) {
    return [plainEndpoint(dnsHost, targetPort)];
  }
  return listed
    .map(({ address, ports, weight }) => ({
      ...plainEndpoint(address, ports?.[port.name] ?? targetPort),
      weight: weight === undefined || weight === 0 ? 1 : weight,
    }))
    .toSorted((a, b) => compareText(a.address, b.address) || a.port - b.port);
}
