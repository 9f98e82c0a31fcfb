// The clusters that routes lead to, and their endpoints. A cluster nobody names is not built; a name whose host or port nobody
// declares has no cluster, and requests to it get 503 (NC).
import {
  type Cluster,
  type Endpoint,
  plainTransport,
  type Resource,
  type RouteConfig,
  type ServiceEntryPort,
  type ServiceEntrySpec,
} from "../model/index.ts";
import { type ClusterKey, formatClusterName, parseClusterName } from "./cluster-name.ts";
import type { CompileContext } from "./context.ts";
import { serviceEndpoints } from "./endpoints.ts";
import { compareText } from "./order.ts";

/** Istio's default. */
const connectTimeoutMs = 10_000;

/** Clusters of every route, sorted by name. */
export function buildClusters(routeConfigs: readonly RouteConfig[], context: CompileContext): readonly Cluster[] {
  const clusters: Cluster[] = [];
  for (const name of [...referencedClusters(routeConfigs)].toSorted(compareText)) {
    const key = parseClusterName(name);
    const cluster = key === null ? null : buildCluster(key, context);
    if (cluster !== null) clusters.push(cluster);
  }
  return clusters;
}

function referencedClusters(routeConfigs: readonly RouteConfig[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { virtualHosts } of routeConfigs) {
    for (const { routes } of virtualHosts) {
      for (const { action } of routes) for (const { cluster } of action.clusters) names.add(cluster);
    }
  }
  return names;
}

function buildCluster(key: ClusterKey, context: CompileContext): Cluster | null {
  const known = context.services.find(key.host, key.port);
  // A subset exists only through a DestinationRule. Leading its share to every endpoint instead would send production traffic to
  // the canary it was meant to keep apart.
  if (known === null || key.subset !== "") return null;
  const common = {
    name: formatClusterName(key),
    ...key,
    connectTimeoutMs,
    ...plainTransport,
  } as const;
  if (known.kind === "service") {
    return { ...common, discovery: "EDS", endpoints: serviceEndpoints(known.service, known.port, context.objects) };
  }
  const { resolution } = known.entry.spec;
  if (resolution === undefined) return null;
  const isDns = resolution === "DNS";
  const endpoints = entryEndpoints(known.entry, known.port, isDns ? key.host : null);
  return { ...common, discovery: isDns ? "STRICT_DNS" : "STATIC", endpoints };
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
    return [{ address: dnsHost, port: targetPort, weight: 1, healthy: true }];
  }
  return listed
    .map(({ address, ports, weight }) => ({
      address,
      port: ports?.[port.name] ?? targetPort,
      weight: weight === undefined || weight === 0 ? 1 : weight,
      healthy: true,
    }))
    .toSorted((a, b) => compareText(a.address, b.address) || a.port - b.port);
}
