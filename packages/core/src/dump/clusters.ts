// `pc cluster`: the table's clusters as Envoy would hold them.
import type { Cluster, Table } from "../model/index.ts";
import { balancingFields, balancingMetadata, legacyBalancingFields } from "./balancing.ts";
import { endpointAddress, loadAssignment } from "./endpoints.ts";
import { configPath, type Dialect, formatDuration, type JsonObject, withName } from "./json.ts";
import { legacyUpstreamFields, upstreamFields } from "./upstream.ts";

/** Clusters in Envoy's shape, sorted by name; only those of that name when one is given. */
export function dumpClusters(table: Table, dialect: Dialect, name?: string): readonly JsonObject[] {
  const dump = dialect === "modern" ? dumpCluster : dumpLegacyCluster;
  return withName(table.clusters.map(dump), name);
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
    ...balancingFields(cluster),
    ...upstreamFields(cluster),
    metadata: {
      filterMetadata: {
        istio: { ...ruleConfig(cluster), services: [service], ...subset(cluster) },
        ...balancingMetadata(cluster),
      },
    },
  };
}

/** As istiod notes it. */
function subset({ subset: name }: Cluster): JsonObject {
  return name === "" ? {} : { subset: name };
}

function ruleConfig({ destinationRule }: Cluster): JsonObject {
  return destinationRule === null ? {} : { config: configPath("destination-rule", destinationRule) };
}

/** Kubernetes names of a service; a ServiceEntry's host has none. */
function serviceNames(host: string): JsonObject {
  const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc\.cluster\.local$/.exec(host) ?? [];
  return name === undefined || namespace === undefined ? {} : { name, namespace };
}

function dumpLegacyCluster(cluster: Cluster): JsonObject {
  const discovery =
    cluster.discovery === "EDS"
      ? { edsClusterConfig: { edsConfig: { ads: {} }, serviceName: cluster.name } }
      : { hosts: cluster.endpoints.map(({ address, port }) => endpointAddress(address, port)) };
  return {
    name: cluster.name,
    type: cluster.discovery,
    ...discovery,
    connectTimeout: formatDuration(cluster.connectTimeoutMs, "istio-1.0"),
    ...legacyBalancingFields(cluster),
    ...legacyUpstreamFields(cluster),
  };
}
