// The HTTP connection manager of a filter chain, as either dialect prints it (istio-semantics 2.8).
import type { FilterChain, Listener } from "../model/index.ts";
import { type JsonObject, typeUrl } from "./json.ts";

/** Today's shape. Only what Sluice does is printed: no filter that is not there. */
export function httpConnectionManager(chain: FilterChain, listener: Listener): JsonObject {
  return {
    name: "envoy.filters.network.http_connection_manager",
    typedConfig: {
      ...typeUrl("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"),
      statPrefix: chain.statPrefix ?? `outbound_${listener.name}`,
      rds: {
        configSource: { ads: {}, initialFetchTimeout: "0s", resourceApiVersion: "V3" },
        routeConfigName: chain.routeConfig,
      },
      httpFilters: [
        {
          name: "envoy.filters.http.router",
          typedConfig: typeUrl("envoy.extensions.filters.http.router.v3.Router"),
        },
      ],
      serverName: "sluice",
      accessLog: [
        {
          name: "envoy.access_loggers.file",
          typedConfig: { ...typeUrl("envoy.extensions.access_loggers.file.v3.FileAccessLog"), path: "/dev/stdout" },
        },
      ],
      useRemoteAddress: true,
      forwardClientCertDetails: "SANITIZE_SET",
      setCurrentClientCertDetails: { subject: true, cert: true, dns: true, uri: true },
      normalizePath: true,
    },
  };
}

/** What every connection manager of Istio 1.0 holds, whatever the gateway. Its Mixer filter is left out. */
const legacyTracing = {
  client_sampling: { value: 100 },
  operation_name: "EGRESS",
  overall_sampling: { value: 100 },
  random_sampling: { value: 100 },
};

/** The shape of 1.0: an untyped `config` with its keys in snake case and in alphabetical order. */
export function legacyHttpConnectionManager(routeConfigName: string, statPrefix: string): JsonObject {
  return {
    name: "envoy.http_connection_manager",
    config: {
      access_log: [{ config: { path: "/dev/stdout" }, name: "envoy.file_access_log" }],
      generate_request_id: true,
      http_filters: [{ name: "envoy.cors" }, { name: "envoy.fault" }, { name: "envoy.router" }],
      rds: { config_source: { ads: {} }, route_config_name: routeConfigName },
      stat_prefix: statPrefix,
      stream_idle_timeout: "0.000s",
      tracing: legacyTracing,
      upgrade_configs: [{ upgrade_type: "websocket" }],
      use_remote_address: true,
    },
  };
}
