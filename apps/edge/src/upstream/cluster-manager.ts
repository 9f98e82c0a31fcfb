// All clusters of a worker by name. A new table is applied to it as a whole; clusters that did not change are not touched.
import { isDeepStrictEqual } from "node:util";
import type { Cluster } from "@sluice/core/model";
import type { Random } from "./balancing/balanced.ts";
import { ClusterRuntime, type UpstreamEnvironment } from "./cluster.ts";
import type { ClusterStats, EndpointStatus } from "./cluster-counters.ts";
import { defaultResolverOptions, type ResolverOptions } from "./dns/host-resolver.ts";
import { IdleClock } from "./idle-clock.ts";
import type { OutlierEvent } from "./outlier/outlier-detector.ts";
import { noSecrets, type SecretLookup } from "./tls-origination.ts";

export interface ClusterManagerOptions {
  readonly resolver?: Partial<ResolverOptions>;
  readonly random?: Random;
  readonly nowMs?: () => number;
  /** An endpoint was ejected, or is back. */
  readonly onOutlierEvent?: (cluster: string, event: OutlierEvent) => void;
}

interface Entry {
  cluster: Cluster;
  readonly runtime: ClusterRuntime;
}

export class ClusterManager {
  private readonly environment: UpstreamEnvironment;
  private readonly entries: Map<string, Entry>;

  constructor(options: ClusterManagerOptions = {}) {
    this.environment = {
      clock: new IdleClock(),
      resolver: { ...defaultResolverOptions, ...options.resolver },
      random: options.random ?? Math.random,
      nowMs: options.nowMs ?? (() => performance.now()),
      onOutlierEvent: options.onOutlierEvent ?? (() => {}),
    };
    this.entries = new Map();
  }

  /** Null: the table does not hold such a cluster, `cluster_not_found`. */
  get(name: string): ClusterRuntime | null {
    return this.entries.get(name)?.runtime ?? null;
  }

  /**
   * Makes `clusters` the live ones, with the secrets of their table. Those that are equal to before keep everything, those that
   * are gone are closed.
   */
  apply(clusters: readonly Cluster[], secret: SecretLookup = noSecrets): void {
    this.add(clusters, secret);
    const names = new Set(clusters.map(({ name }) => name));
    for (const [name, entry] of this.entries) {
      if (names.has(name)) continue;
      entry.runtime.close();
      this.entries.delete(name);
    }
  }

  /** The first half of `apply`: clusters of the next table are there, those that only the live table names still are. */
  add(clusters: readonly Cluster[], secret: SecretLookup = noSecrets): void {
    for (const cluster of clusters) {
      const entry = this.entries.get(cluster.name);
      if (entry === undefined) {
        this.entries.set(cluster.name, { cluster, runtime: new ClusterRuntime(cluster, this.environment, secret) });
      } else if (cluster.tls !== null || (entry.cluster !== cluster && !isDeepStrictEqual(entry.cluster, cluster))) {
        // With TLS also when the cluster is the same: a secret it names may not be.
        entry.cluster = cluster;
        entry.runtime.update(cluster, secret);
      }
    }
  }

  /** Resolves when every host name of the applied clusters has been looked up once. Await it before serving a table that names new ones. */
  async whenResolved(): Promise<void> {
    await Promise.all([...this.entries.values()].map((entry) => entry.runtime.whenResolved()));
  }

  /** Closes all idle connections; those in use close with their request. */
  close(): void {
    this.apply([]);
    this.environment.clock.stop();
  }

  /** One row a cluster, for the metrics. */
  stats(): ClusterStats[] {
    return [...this.entries.values()].map((entry) => entry.runtime.stats());
  }

  /** The endpoints of every cluster, by its name. */
  endpoints(): Record<string, EndpointStatus[]> {
    return Object.fromEntries([...this.entries].map(([name, { runtime }]) => [name, runtime.endpointStatus()]));
  }
}
