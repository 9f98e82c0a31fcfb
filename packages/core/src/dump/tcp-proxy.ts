// The TCP proxy of a filter chain whose connections are not HTTP to the gateway, as either dialect prints it.
import type { NetworkForward } from "../model/index.ts";
import { type JsonObject, typeUrl } from "./json.ts";

/** Today's shape. */
export function tcpProxy(forward: NetworkForward, statPrefix: string | null): JsonObject {
  return {
    name: "envoy.filters.network.tcp_proxy",
    typedConfig: {
      ...typeUrl("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"),
      statPrefix: statPrefix ?? forward.clusters[0]?.cluster ?? "",
      ...destination(forward, "weightedClusters"),
      accessLog: [
        {
          name: "envoy.access_loggers.file",
          typedConfig: { ...typeUrl("envoy.extensions.access_loggers.file.v3.FileAccessLog"), path: "/dev/stdout" },
        },
      ],
    },
  };
}

/** The shape of 1.0, its keys in alphabetical order. */
export function legacyTcpProxy(forward: NetworkForward): JsonObject {
  return {
    name: "envoy.tcp_proxy",
    config: {
      access_log: [{ config: { path: "/dev/stdout" }, name: "envoy.file_access_log" }],
      ...destination(forward, "weighted_clusters"),
      stat_prefix: forward.clusters[0]?.cluster ?? "",
    },
  };
}

function destination({ clusters }: NetworkForward, weightedKey: string): JsonObject {
  const [first] = clusters;
  if (clusters.length === 1 && first !== undefined) return { cluster: first.cluster };
  return { [weightedKey]: { clusters: clusters.map(({ cluster, weight }) => ({ name: cluster, weight })) } };
}
