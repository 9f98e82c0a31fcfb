// `pc listener`: the table's listeners as Envoy would hold them.
import type { FilterChain, Listener, Table } from "../model/index.ts";
import { httpConnectionManager, legacyHttpConnectionManager } from "./connection-manager.ts";
import {
  type Dialect,
  type Json,
  type JsonObject,
  nonEmpty,
  typeUrl,
  virtualServiceMetadata,
  withName,
} from "./json.ts";
import { legacyTcpProxy, tcpProxy } from "./tcp-proxy.ts";
import { legacyTlsContext, transportSocket } from "./tls.ts";

/** Listeners in Envoy's shape, sorted by name; only those of that name when one is given. */
export function dumpListeners(table: Table, dialect: Dialect, name?: string): readonly JsonObject[] {
  if (dialect === "modern") return withName(table.listeners.map(dumpListener), name);
  const legacyNames = new Map(table.routeConfigs.map((config) => [config.name, config.legacyName]));
  return withName(
    table.listeners.map((listener) => dumpLegacyListener(listener, legacyNames)),
    name,
  );
}

function dumpListener(listener: Listener): JsonObject {
  const filters = listenerFilters(listener);
  return {
    name: listener.name,
    address: socketAddress(listener.address, listener.port),
    filterChains: listener.filterChains.map((chain) => dumpChain(chain, listener)),
    ...nonEmpty("listenerFilters", filters),
    trafficDirection: "OUTBOUND",
    metadata: { filterMetadata: { sluice: { engine: listener.engine, engineReason: listener.engineReason } } },
  };
}

/** The header of the PROXY protocol stands before everything else. */
function listenerFilters({ transport, acceptsProxyProtocol }: Listener): readonly JsonObject[] {
  const proxyProtocol = {
    name: "envoy.filters.listener.proxy_protocol",
    typedConfig: typeUrl("envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"),
  };
  const inspector = {
    name: "envoy.filters.listener.tls_inspector",
    typedConfig: typeUrl("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"),
  };
  return [...(acceptsProxyProtocol ? [proxyProtocol] : []), ...(transport === "tls" ? [inspector] : [])];
}

function dumpChain(chain: FilterChain, listener: Listener): JsonObject {
  return {
    ...chainMatch(chain),
    filters: [
      chain.forward === null ? httpConnectionManager(chain, listener) : tcpProxy(chain.forward, chain.statPrefix),
    ],
    ...(chain.tls === null
      ? {}
      : { transportSocket: transportSocket(chain.tls), transportSocketConnectTimeout: "15s" }),
    ...(chain.forward === null ? {} : { metadata: virtualServiceMetadata(chain.forward.virtualService) }),
  };
}

function dumpLegacyListener(listener: Listener, legacyNames: ReadonlyMap<string, string>): JsonObject {
  const chains = listener.filterChains.map((chain): JsonObject => {
    const routeConfig = legacyNames.get(chain.routeConfig ?? "") ?? chain.routeConfig ?? "";
    return {
      ...chainMatch(chain),
      ...(chain.tls === null ? {} : { tlsContext: legacyTlsContext(chain.tls) }),
      ...(listener.acceptsProxyProtocol ? { useProxyProto: true } : {}),
      filters: [
        chain.forward === null
          ? legacyHttpConnectionManager(routeConfig, listener.name)
          : legacyTcpProxy(chain.forward),
      ],
    };
  });
  return { name: listener.name, address: socketAddress(listener.address, listener.port), filterChains: chains };
}

function chainMatch({ serverNames }: FilterChain): JsonObject {
  return serverNames.length === 0 ? {} : { filterChainMatch: { serverNames } };
}

/** Envoy's address. */
export function socketAddress(address: string, portValue: number): { readonly [key: string]: Json } {
  return { socketAddress: { address, portValue } };
}
