// Where a connection that is not HTTP goes: the live table's destination for its chain, a cluster by weight, an endpoint by load. A
// connection keeps its upstream until it ends, whatever tables come.
import type { Socket } from "node:net";
import { selectFilterChain } from "@sluice/core/match";
import type { NetworkDownstream, NetworkHandler } from "../exchange/network-handler.ts";
import type { AccessLog } from "../observe/access-log.ts";
import type { NetworkMetrics } from "../observe/network-metrics.ts";
import { drawCluster, hostOfCluster } from "../proxy/runtime-route.ts";
import type { RuntimeChain, RuntimeTable } from "../proxy/runtime-table.ts";
import { BalancedConnection } from "../upstream/balancing/balanced-request.ts";
import type { ClusterRuntime } from "../upstream/cluster.ts";
import type { ClusterManager } from "../upstream/cluster-manager.ts";
import { ForwardedConnection } from "./forwarded-connection.ts";

export interface NetworkForwarderOptions {
  /** The live table. */
  readonly table: () => RuntimeTable;
  readonly clusters: ClusterManager;
  readonly accessLog: AccessLog;
  readonly metrics: NetworkMetrics;
}

export class NetworkForwarder implements NetworkHandler {
  readonly #options: NetworkForwarderOptions;

  constructor(options: NetworkForwarderOptions) {
    this.#options = options;
  }

  onConnection(socket: Socket, downstream: NetworkDownstream, carrier: Socket): void {
    const { table, clusters, metrics } = this.#options;
    const { listener } = downstream;
    const chain = findChain(table(), downstream);
    const forward = chain?.forward ?? null;
    const cluster = forward === null ? "" : drawCluster(forward, Math.random);
    const connection = new ForwardedConnection(
      { socket, carrier },
      {
        downstream,
        cluster,
        counter: metrics.counterOf({ listener, cluster, destination: hostOfCluster(cluster) }),
        onEnded: this.#onEnded,
      },
    );
    if (chain === null || forward === null) return connection.fail("route_not_found");
    if (!isStillTrusted(chain, downstream)) return connection.fail("chain_changed");
    const runtime = clusters.get(cluster);
    if (runtime === null) return connection.fail("cluster_not_found");
    connect(connection, runtime, downstream);
  }

  readonly #onEnded = (connection: ForwardedConnection): void => {
    const { accessLog } = this.#options;
    if (accessLog.isOn) accessLog.writeConnection(connection);
  };
}

/**
 * Asked of the live table: a listener that has not been told of it yet must not use a destination of the one before. By server name
 * where that chose the chain, since a chain's name may mean another one in the next table.
 */
function findChain(table: RuntimeTable, { listener, filterChain, sni }: NetworkDownstream): RuntimeChain | null {
  const live = table.listeners.get(listener);
  if (live === undefined) return null;
  const name = live.chainIndex === null ? filterChain : selectFilterChain(live.chainIndex, sni)?.name;
  return name === undefined ? null : (live.chains.get(name) ?? null);
}

/**
 * Whether the chain would let this connection in as it was let in: with TLS ended or untouched, and by the same demand on its client. A
 * handshake begins under one table and may end under the next.
 */
function isStillTrusted({ chain, trust }: RuntimeChain, downstream: NetworkDownstream): boolean {
  return downstream.trust === (chain.tls === null ? null : trust);
}

function connect(connection: ForwardedConnection, cluster: ClusterRuntime, downstream: NetworkDownstream): void {
  const { limits } = cluster.source;
  // What was to prove who the upstream is, or who we are, is not there. In clear nothing goes where the configuration says TLS.
  if (cluster.tlsProblem !== null) return connection.fail("upstream_tls_failure", "certificate or CA missing");
  if (limits.maxConnections > 0 && cluster.openConnections >= limits.maxConnections) {
    return connection.fail("upstream_overflow");
  }
  const endpoint = cluster.choose(new BalancedConnection(downstream));
  if (endpoint === null) return connection.fail("no_healthy_upstream");
  connection.forward(endpoint, cluster.source);
}
