// Raw connections end to end without a configuration: a listener on `node`, the forwarder over a hand-made table, upstreams that the
// test writes, and what was counted and logged.
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import {
  type Cluster,
  defaultClusterLimits,
  type FilterChain,
  type Listener,
  plainEndpoint,
  plainTransport,
} from "@sluice/core/model";
import type { SecretResource, WeightedCluster } from "@sluice/core/model";
import type { ExchangeRecorder } from "../../src/exchange/exchange.ts";
import { NetworkForwarder } from "../../src/network/forwarder.ts";
import { AccessLog } from "../../src/observe/access-log.ts";
import { NetworkMetrics } from "../../src/observe/network-metrics.ts";
import { buildRuntimeTable, type RuntimeTable } from "../../src/proxy/runtime-table.ts";
import { ClusterManager } from "../../src/upstream/cluster-manager.ts";
import { chain, type ListenerSource, startListener, type TestListener } from "../listen-node/support.ts";

export { chain } from "../listen-node/support.ts";

/** A TCP server whose connections the test drives. */
export class Upstream implements AsyncDisposable {
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      socket.on("error", () => undefined);
      this.sockets.push(socket);
    });
  }

  /** @param pauseOnConnect leaves reading to the test */
  static async listen(pauseOnConnect = false): Promise<Upstream> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Upstream(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The connection with this number, in the order accepted. */
  async socket(index = 0): Promise<Socket> {
    while (this.sockets[index] === undefined) await once(this.#server, "connection");
    return this.sockets[index];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

export function clusterTo(upstream: { readonly port: number } | null, fields: Partial<Cluster> = {}): Cluster {
  const endpoint = { ...plainEndpoint("127.0.0.1", upstream?.port ?? 1), healthy: upstream !== null };
  return {
    name: "outbound|9000||echo.default.svc.cluster.local",
    host: "echo.default.svc.cluster.local",
    port: 9000,
    subset: "",
    discovery: "STATIC",
    connectTimeoutMs: 2000,
    ...plainTransport,
    protocol: "tcp",
    endpoints: [endpoint],
    ...fields,
  };
}

export const limits = (fields: Partial<Cluster["limits"]>): Partial<Cluster> => ({
  limits: { ...defaultClusterLimits, ...fields },
});

export function forwardChain(
  clusters: readonly (Cluster | WeightedCluster)[],
  fields: Partial<FilterChain> = {},
): FilterChain {
  const weighted = clusters.map((entry) => ("weight" in entry ? entry : { cluster: entry.name, weight: 1 }));
  const virtualService = { apiVersion: "networking.istio.io/v1", namespace: "default", name: "echo" };
  return chain({ name: "tcp.9000", routeConfig: null, forward: { clusters: weighted, virtualService }, ...fields });
}

export interface WorldSource {
  readonly chains: readonly FilterChain[];
  readonly clusters: readonly Cluster[];
  readonly secrets?: readonly SecretResource[];
  readonly listener?: Partial<Listener>;
}

const noRecorder: ExchangeRecorder = { record() {} };

export class NetworkWorld implements AsyncDisposable {
  readonly listener: TestListener;
  readonly clusters: ClusterManager;
  readonly metrics: NetworkMetrics;
  readonly #live: { table: RuntimeTable };
  readonly #log: { readonly access: AccessLog; readonly directory: string };

  private constructor(parts: {
    listener: TestListener;
    clusters: ClusterManager;
    metrics: NetworkMetrics;
    live: { table: RuntimeTable };
    log: { access: AccessLog; directory: string };
  }) {
    this.listener = parts.listener;
    this.clusters = parts.clusters;
    this.metrics = parts.metrics;
    this.#live = parts.live;
    this.#log = parts.log;
  }

  static async start(source: WorldSource): Promise<NetworkWorld> {
    const clusters = new ClusterManager();
    clusters.apply(source.clusters, lookup(source));
    const metrics = new NetworkMetrics();
    const directory = await mkdtemp(join(tmpdir(), "sluice-network-"));
    const access = new AccessLog({ path: join(directory, "access.log"), format: "text" });
    const live = { table: tableOf(source) };
    const network = new NetworkForwarder({ table: () => live.table, clusters, accessLog: access, metrics });
    const listener = await startListener({ ...listenerSource(source), network });
    return new NetworkWorld({ listener, clusters, metrics, live, log: { access, directory } });
  }

  get port(): number {
    return this.listener.port;
  }

  /** Swaps the table as a worker does: clusters, table, listener. */
  apply(source: WorldSource): void {
    this.swapTable(source);
    this.listener.update(listenerSource(source));
  }

  /** The moment between a new table and the listener's knowing of it. */
  swapTable(source: WorldSource): void {
    this.clusters.add(source.clusters, lookup(source));
    this.#live.table = tableOf(source);
    this.clusters.apply(source.clusters, lookup(source));
  }

  /** The only line logged, as soon as it is there. */
  async logLine(): Promise<string> {
    for (;;) {
      const [line, ...others] = await this.#logLines();
      if (others.length > 0) throw new Error(`logged more than once: ${others.join()}`);
      if (line !== undefined) return line;
      await setImmediate();
    }
  }

  async #logLines(): Promise<string[]> {
    // The file is opened in its own time.
    this.#log.access.flush();
    const text = await readFile(join(this.#log.directory, "access.log"), "utf8").catch(() => "");
    return text.split("\n").filter((line) => line !== "");
  }

  /** The sum of a metric over its labels. */
  count(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const metric = this.metrics.collect().find((candidate) => candidate.name === name);
    const values = (metric?.values ?? []).filter((value) =>
      Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted),
    );
    return values.reduce((sum, { value }) => sum + value, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener[Symbol.asyncDispose]();
    this.clusters.close();
    await rm(this.#log.directory, { recursive: true, force: true });
  }
}

function listenerSource({ chains, secrets = [], listener = {} }: WorldSource): ListenerSource {
  return { chains, secrets, listener: { name, transport: "tcp", ...listener } };
}

function lookup({ secrets = [] }: WorldSource): (name: string) => SecretResource | null {
  return (wanted) => secrets.find((candidate) => candidate.name === wanted) ?? null;
}

const name = "0.0.0.0_9000";

function tableOf({ chains, clusters, secrets = [], listener = {} }: WorldSource): RuntimeTable {
  const live: Listener = {
    name,
    address: "0.0.0.0",
    port: 9000,
    declaredPort: 9000,
    transport: "tcp",
    acceptsProxyProtocol: false,
    engine: "node",
    engineReason: "test",
    filterChains: chains,
    ...listener,
  };
  const routeConfigs = chains.flatMap(({ routeConfig }) =>
    routeConfig === null ? [] : [{ name: routeConfig, port: 443, legacyName: "", virtualHosts: [] }],
  );
  const table = { listeners: [live], routeConfigs, clusters, secrets };
  return buildRuntimeTable({ version: "1", table, previous: null, recorderOf: () => noRecorder });
}
