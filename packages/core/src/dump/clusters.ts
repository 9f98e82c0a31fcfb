// `pc cluster` and `pc endpoint`: the table's clusters and what is behind them, as Envoy would hold them.
import type { Cluster, Endpoint, Table } from "../model/index.ts";
import { configPath, type Dialect, formatDuration, type JsonObject, withName } from "./json.ts";
import { socketAddress } from "./listeners.ts";
import { legacyUpstreamFields, upstreamFields } from "./upstream.ts";

/** Clusters in Envoy's shape, sorted by name; only those of that name when one is given. */
export function dumpClusters(table: Table, dialect: Dialect, name?: string): readonly JsonObject[] {
  const dump = dialect === "modern" ? dumpCluster : dumpLegacyCluster;
  return withName(table.clusters.map(dump), name);
}

/** Endpoints by cluster, as Envoy's admin interface lists them; only those of that cluster when one is given. */
export function dumpEndpoints(table: Table, _dialect: Dialect, name?: string): readonly JsonObject[] {
  return withName(table.clusters.map(dumpClusterStatus), name);
}

function dumpCluster(cluster: Cluster): JsonObject {
  const discovery =
    cluster.discovery === "EDS"
      ? {
          edsClusterConfig: {
            edsConfig: { ads: {}, initialFetchTimeout: "0s", resourceApiVersion: "V3" },
            serviceName: cluster.name,
          },
        }
      : { loadAssignment: loadAssignment(cluster) };
  const service = { host: cluster.host, ...serviceNames(cluster.host) };
  return {
    name: cluster.name,
    type: cluster.discovery,
    ...discovery,
    connectTimeout: formatDuration(cluster.connectTimeoutMs, "modern"),
    lbPolicy: "LEAST_REQUEST",
    ...upstreamFields(cluster),
    metadata: { filterMetadata: { istio: { ...ruleConfig(cluster), services: [service] } } },
  };
}

function ruleConfig({ destinationRule }: Cluster): JsonObject {
  return destinationRule === null ? {} : { config: configPath("destination-rule", destinationRule) };
}

/** Kubernetes names of a service; a ServiceEntry's host has none. */
function serviceNames(host: string): JsonObject {
  const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc\.cluster\.local$/.exec(host) ?? [];
  return name === undefined || namespace === undefined ? {} : { name, namespace };
}

function loadAssignment({ name, endpoints }: Cluster): JsonObject {
  const lbEndpoints = endpoints.map(({ address, port, weight }) => ({
    endpoint: { address: socketAddress(address, port) },
    loadBalancingWeight: weight,
  }));
  return { clusterName: name, endpoints: [{ lbEndpoints }] };
}

function dumpLegacyCluster(cluster: Cluster): JsonObject {
  const discovery =
    cluster.discovery === "EDS"
      ? { edsClusterConfig: { edsConfig: { ads: {} }, serviceName: cluster.name } }
      : { hosts: cluster.endpoints.map(({ address, port }) => socketAddress(address, port)) };
  return {
    name: cluster.name,
    type: cluster.discovery,
    ...discovery,
    connectTimeout: formatDuration(cluster.connectTimeoutMs, "istio-1.0"),
    ...legacyUpstreamFields(cluster),
  };
}

function dumpClusterStatus({ name, endpoints }: Cluster): JsonObject {
  return { name, addedViaApi: true, hostStatuses: endpoints.map(dumpHostStatus) };
}

function dumpHostStatus({ address, port, weight, healthy }: Endpoint): JsonObject {
  return {
    address: socketAddress(address, port),
    healthStatus: { edsHealthStatus: healthy ? "HEALTHY" : "UNHEALTHY" },
    weight,
    locality: {},
  };
}
