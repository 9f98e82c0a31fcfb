// The table as the data path reads it: names resolved to objects, server names and hosts indexed. Built beside the live one and
// swapped by one assignment; what did not change is taken over from the table before it.
import { buildChainIndex, type ChainIndex } from "@sluice/core/match";
import {
  loadX509,
  type FilterChain,
  type Listener,
  type NetworkForward,
  type SecretResource,
  type Table,
} from "@sluice/core/model";
import type { RouteSelection } from "../exchange/exchange.ts";
import { trustDigest } from "../tls/trust-digest.ts";
import { type RecorderOf, select, sumOfWeights, type WeightedClusters } from "./runtime-route.ts";
import { RuntimeRouteConfig } from "./runtime-route-config.ts";

/** Where the connections of a chain go that is not HTTP. */
export type RuntimeForward = WeightedClusters;

export interface RuntimeChain {
  readonly chain: FilterChain;
  /** See `Downstream.trust`. */
  readonly trust: string;
  /** Null where bytes are forwarded as they come. */
  readonly routes: RuntimeRouteConfig | null;
  /** Null where it speaks HTTP. */
  readonly forward: RuntimeForward | null;
}

export interface RuntimeListener {
  readonly listener: Listener;
  readonly chains: ReadonlyMap<string, RuntimeChain>;
  /** Null on cleartext, where there is one chain and SNI plays no role. */
  readonly chainIndex: ChainIndex | null;
}

export interface RuntimeTable {
  /** Empty before the first table. */
  readonly version: string;
  readonly table: Table;
  readonly listeners: ReadonlyMap<string, RuntimeListener>;
  readonly routeConfigs: ReadonlyMap<string, RuntimeRouteConfig>;
  readonly secrets: ReadonlyMap<string, SecretResource>;
  /** What a request without virtual host is counted under. */
  readonly unmatched: RouteSelection;
}

export interface RuntimeTableSource {
  readonly version: string;
  readonly table: Table;
  /** The table to take unchanged route configs from. */
  readonly previous: RuntimeTable | null;
  readonly recorderOf: RecorderOf;
}

/**
 * Builds it. Throws when a chain names a route config that the table does not hold, or leads nowhere or to two places, or two chains of a
 * listener have one name: connections know their chain by it, and one could be taken for the other. Such a table is refused as a whole.
 */
export function buildRuntimeTable({ version, table, previous, recorderOf }: RuntimeTableSource): RuntimeTable {
  const secrets = new Map(table.secrets.map((secret) => [secret.name, secret]));
  const routeConfigs = new Map<string, RuntimeRouteConfig>();
  for (const source of table.routeConfigs) {
    const before = previous?.routeConfigs.get(source.name);
    routeConfigs.set(source.name, before?.source === source ? before : new RuntimeRouteConfig(source, recorderOf));
  }
  const chainOf = (listener: Listener, chain: FilterChain): RuntimeChain => {
    const { forward, routeConfig } = chain;
    if ((forward === null) === (routeConfig === null)) {
      throw new Error(
        `${listener.name}, chain ${chain.name}: either routes or a destination for raw bytes, and not both`,
      );
    }
    const routes = routeConfig === null ? null : (routeConfigs.get(routeConfig) ?? null);
    if (routeConfig !== null && routes === null) {
      throw new Error(`${listener.name} names the route config ${routeConfig}, which the table does not hold`);
    }
    // Before the table is live rather than while a client waits for its handshake.
    if (chain.tls !== null && chain.tls.mode !== "SIMPLE") loadX509();
    const trust = chain.tls === null ? "" : trustDigest(chain.tls, (name) => secrets.get(name) ?? null);
    return { chain, trust, routes, forward: forward === null ? null : runtimeForward(forward) };
  };
  const listeners = new Map<string, RuntimeListener>();
  for (const listener of table.listeners) {
    const chains = new Map(listener.filterChains.map((chain) => [chain.name, chainOf(listener, chain)]));
    if (chains.size < listener.filterChains.length) throw new Error(`${listener.name} has two chains of one name`);
    listeners.set(listener.name, {
      listener,
      chains,
      chainIndex: listener.transport === "tls" ? buildChainIndex(listener.filterChains) : null,
    });
  }
  return { version, table, listeners, routeConfigs, secrets, unmatched: select("", "", recorderOf("", "", "")) };
}

function runtimeForward({ clusters }: NetworkForward): RuntimeForward {
  return { clusters, totalWeight: sumOfWeights(clusters) };
}
