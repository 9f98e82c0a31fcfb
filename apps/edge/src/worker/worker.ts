// A worker: holds the live table, prepares the next one beside it, swaps by one assignment.
import { setTimeout } from "node:timers/promises";
import type { SecretResource } from "@sluice/core/model";
import { type DecodedTable, TablePatch } from "@sluice/core/wire";
import type { Settings } from "@sluice/core/settings";
import { bindNode } from "../listen/node/listener.ts";
import type { DownstreamLimits } from "../listen/listener.ts";
import { loadUws, prepareUwsEnvironment } from "../listen/uws/load.ts";
import { bindUws } from "../listen/uws/listener.ts";
import { NetworkForwarder } from "../network/forwarder.ts";
import { AccessLog } from "../observe/access-log.ts";
import { LongestPause } from "../observe/longest-pause.ts";
import { ListenerMetrics } from "../observe/listener-metrics.ts";
import { type MetricJson, metricJson } from "../observe/metric-json.ts";
import { NetworkMetrics } from "../observe/network-metrics.ts";
import { RouteMetrics } from "../observe/route-metrics.ts";

import { Proxy } from "../proxy/proxy.ts";
import { buildRuntimeTable, type RuntimeTable } from "../proxy/runtime-table.ts";
import type { EndpointStatus } from "../upstream/cluster-counters.ts";
import { ClusterManager } from "../upstream/cluster-manager.ts";
import { systemLookup } from "../upstream/dns/lookup.ts";
import { upstreamMetrics } from "../upstream/metrics.ts";
import { httpsAuthorityFor } from "./https-authority.ts";
import { ListenerSet } from "./listener-set.ts";
import type { Binding, FromWorker, ListenerReport, ToWorker } from "./messages.ts";

type Stage = Extract<ToWorker, { type: "stage" }>;
type Prepare = Extract<ToWorker, { type: "prepare" }>;

interface PreparedTable {
  readonly decoded: DecodedTable;
  readonly runtime: RuntimeTable;
  readonly bindings: Readonly<Record<string, Binding>>;
}

/** A name server that does not answer must not hold up a table; the clusters it concerns answer 503 until it does. */
const maxResolveWaitMs = 2000;

const emptyTable = { listeners: [], routeConfigs: [], clusters: [], secrets: [] };

export class Worker {
  readonly #routeMetrics = new RouteMetrics();
  readonly #listenerMetrics = new ListenerMetrics();
  readonly #networkMetrics = new NetworkMetrics();
  readonly #longestPause = new LongestPause();
  readonly #clusters: ClusterManager;
  readonly #accessLog: AccessLog;
  readonly #proxy: Proxy;
  readonly #listeners: ListenerSet;
  #live: DecodedTable | null = null;
  #staged: { readonly version: string; readonly patch: TablePatch } | null = null;
  #prepared: PreparedTable | null = null;

  /** @param report tells the primary something that no message asked for */
  constructor(settings: Settings, ticketSecret: Uint8Array, report: (message: FromWorker) => void) {
    const { edge } = settings;
    const limits = downstreamLimits(settings);
    prepareUwsEnvironment(limits);
    const uws = edge.engine === "node" ? null : loadUws();
    if (uws !== null && "reason" in uws) report({ type: "engine-unavailable", reason: uws.reason });
    this.#clusters = new ClusterManager({
      resolver: {
        lookup: systemLookup(edge.dns.servers),
        minTtlMs: edge.dns.minTtlSeconds * 1000,
        maxTtlMs: edge.dns.maxTtlSeconds * 1000,
      },
      onOutlierEvent: (name, event) => report({ type: "outlier", cluster: name, event }),
    });
    this.#accessLog = new AccessLog(edge.accessLog);
    this.#proxy = new Proxy({
      table: buildRuntimeTable({ version: "", table: emptyTable, previous: null, recorderOf: this.#recorderOf }),
      clusters: this.#clusters,
      accessLog: this.#accessLog,
      httpsAuthority: httpsAuthorityFor(
        () => this.#proxy.table.table,
        (listener) => this.#listeners.binding(listener),
      ),
      streamIdleTimeoutSeconds: edge.limits.streamIdleTimeoutSeconds,
      requestTimeoutMs: edge.limits.requestTimeoutSeconds * 1000,
      maxBodyBytes: edge.limits.maxBodyBytes,
      retryBufferBytes: edge.limits.retryBufferBytes,
      retryBufferTotalBytes: edge.limits.retryBufferTotalBytes,
    });
    const network = new NetworkForwarder({
      table: () => this.#proxy.table,
      clusters: this.#clusters,
      accessLog: this.#accessLog,
      metrics: this.#networkMetrics,
    });
    this.#listeners = new ListenerSet(
      { node: bindNode, uws: uws === null || "reason" in uws ? null : bindUws },
      {
        handler: this.#proxy,
        network,
        codec: edge.codec,
        observer: this.#listenerMetrics,
        limits,
        openConnections: { count: 0 },
        ticketSecret,
      },
    );
  }

  readonly #recorderOf = (virtualHost: string, routeName: string, destination: string) =>
    this.#routeMetrics.recorderOf(virtualHost, routeName, destination);

  /** Decodes a portion of a table beside the live one. The primary has compared the bytes with their digests. Throws when it cannot. */
  stage({ version, base, resources }: Stage): void {
    if (this.#staged?.version !== version) {
      if (base !== null && this.#live?.version !== base)
        throw new Error(`version ${version} builds on ${base}, which this worker does not serve`);
      this.#staged = { version, patch: new TablePatch(base === null ? null : this.#live) };
    }
    for (const [entry, bytes] of resources) this.#staged.patch.put(entry, bytes);
  }

  /** Puts together and checks what was staged. Throws when it is not fit to be served. */
  prepare({ version, remove, bindings }: Prepare): void {
    const staged = this.#staged;
    this.#staged = null;
    if (staged?.version !== version) throw new Error(`version ${version} was not staged`);
    for (const key of remove) staged.patch.remove(key);
    const decoded = staged.patch.finish(version);
    const runtime = buildRuntimeTable({
      version,
      table: decoded.table,
      previous: this.#proxy.table,
      recorderOf: this.#recorderOf,
    });
    this.#prepared = { decoded, runtime, bindings };
  }

  abort(): void {
    this.#staged = null;
    this.#prepared = null;
  }

  /**
   * Serves what was prepared. Clusters first, host names looked up, so that no route of the new table meets a missing one, and the
   * former ones until no route names them. Rejects when a listener cannot be bound; the primary then has every worker go back.
   */
  async commit(version: string): Promise<ListenerReport[]> {
    const prepared = this.#prepared;
    if (prepared === null || prepared.runtime.version !== version)
      throw new Error(`version ${version} was not prepared`);
    this.#prepared = null;
    const { clusters } = prepared.runtime.table;
    const secret = (name: string): SecretResource | null => prepared.runtime.secrets.get(name) ?? null;
    this.#clusters.add(clusters, secret);
    await Promise.race([this.#clusters.whenResolved(), setTimeout(maxResolveWaitMs, undefined, { ref: false })]);
    this.#proxy.table = prepared.runtime;
    this.#clusters.apply(clusters, secret);
    this.#live = prepared.decoded;
    await this.#listeners.apply(prepared.runtime, prepared.bindings);
    return this.#listeners.reports(prepared.runtime);
  }

  /** Takes no new connections, ends idle ones, lets what is under way finish. */
  async drain(): Promise<void> {
    this.#proxy.isDraining = true;
    await this.#listeners.drain();
    await this.#accessLog.end();
    this.close();
  }

  close(): void {
    this.#proxy.close();
    this.#clusters.close();
    this.#longestPause.close();
    this.#accessLog.flush();
  }

  reopenLogs(): void {
    this.#accessLog.reopen();
  }

  /** What this worker knows of the endpoints of every cluster. */
  endpoints(): Record<string, EndpointStatus[]> {
    return this.#clusters.endpoints();
  }

  metrics(workerId: number): MetricJson[] {
    const { user, system } = process.cpuUsage();
    const labels = { worker: workerId };
    return [
      ...this.#routeMetrics.collect(),
      ...this.#listenerMetrics.collect(),
      ...this.#networkMetrics.collect(),
      ...this.#proxy.metrics.collect(),
      ...upstreamMetrics(this.#clusters.stats()),
      metricJson("sluice_downstream_active_requests", [{ value: this.#proxy.activeCount, labels: {} }]),
      metricJson("sluice_worker_resident_memory_bytes", [{ value: process.memoryUsage.rss(), labels }]),
      metricJson("sluice_worker_longest_pause_seconds", [{ value: this.#longestPause.take(), labels }]),
      metricJson("sluice_worker_cpu_seconds_total", [{ value: (user + system) / 1e6, labels }]),
    ];
  }
}

function downstreamLimits({ edge: { limits, http10 } }: Settings): DownstreamLimits {
  return {
    handshakeTimeoutMs: limits.handshakeTimeoutSeconds * 1000,
    requestHeadTimeoutMs: limits.requestHeadTimeoutSeconds * 1000,
    streamIdleTimeoutMs: limits.streamIdleTimeoutSeconds * 1000,
    idleTimeoutMs: limits.idleTimeoutSeconds * 1000,
    maxHeadBytes: limits.maxHeadBytes,
    maxHeaderCount: limits.maxHeaderCount,
    maxConnections: limits.maxConnections,
    maxConcurrentStreams: limits.maxConcurrentStreams,
    maxResetStreamsPerMinute: limits.maxResetStreamsPerMinute,
    maxControlFramesPerMinute: limits.maxControlFramesPerMinute,
    streamBufferBytes: limits.streamBufferBytes,
    connectionBufferBytes: limits.connectionBufferBytes,
    webSocketBufferBytes: limits.webSocketBufferBytes,
    allowsHttp10: http10,
  };
}
