// `pc listener`: the table's listeners as Envoy would hold them.
import type { FilterChain, Listener, Table } from "../model/index.ts";
import { httpConnectionManager, legacyHttpConnectionManager } from "./connection-manager.ts";
import { type Dialect, type Json, type JsonObject, typeUrl, withName } from "./json.ts";
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
  const inspector = {
    name: "envoy.filters.listener.tls_inspector",
    typedConfig: typeUrl("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"),
  };
  return {
    name: listener.name,
    address: socketAddress(listener.address, listener.port),
    filterChains: listener.filterChains.map((chain) => dumpChain(chain, listener)),
    ...(listener.transport === "tls" ? { listenerFilters: [inspector] } : {}),
    trafficDirection: "OUTBOUND",
    metadata: { filterMetadata: { sluice: { engine: listener.engine, engineReason: listener.engineReason } } },
  };
}

function dumpChain(chain: FilterChain, listener: Listener): JsonObject {
  return {
    ...chainMatch(chain),
    filters: [httpConnectionManager(chain, listener)],
    ...(chain.tls === null
      ? {}
      : { transportSocket: transportSocket(chain.tls), transportSocketConnectTimeout: "15s" }),
  };
}

function dumpLegacyListener(listener: Listener, legacyNames: ReadonlyMap<string, string>): JsonObject {
  const chains = listener.filterChains.map((chain): JsonObject => {
    const routeConfig = legacyNames.get(chain.routeConfig ?? "") ?? chain.routeConfig ?? "";
    return {
      ...chainMatch(chain),
      ...(chain.tls === null ? {} : { tlsContext: legacyTlsContext(chain.tls) }),
      filters: [legacyHttpConnectionManager(routeConfig, listener.name)],
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
