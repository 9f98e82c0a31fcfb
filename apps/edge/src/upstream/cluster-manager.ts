// All clusters of a worker by name. A new table is applied to it as a whole; clusters that did not change are not touched.
import { isDeepStrictEqual } from "node:util";
import type { Cluster } from "@sluice/core/model";
import type { Random } from "./balancer.ts";
import { ClusterRuntime, type UpstreamEnvironment } from "./cluster.ts";
import type { ClusterStats } from "./cluster-counters.ts";
import { IdleClock } from "./idle-clock.ts";
import { defaultPoolLimits, type PoolLimits } from "./pool.ts";
import { defaultResolverOptions, type ResolverOptions } from "./resolver.ts";

export interface ClusterManagerOptions {
  readonly limits?: Partial<PoolLimits>;
  readonly resolver?: Partial<ResolverOptions>;
  readonly random?: Random;
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
      limits: { ...defaultPoolLimits, ...options.limits },
      resolver: { ...defaultResolverOptions, ...options.resolver },
      random: options.random ?? Math.random,
    };
    this.entries = new Map();
  }

  /** Null: the table does not hold such a cluster, `cluster_not_found`. */
  get(name: string): ClusterRuntime | null {
    return this.entries.get(name)?.runtime ?? null;
  }

  /** Makes `clusters` the live ones. Those that are equal to before keep everything, those that are gone are closed. */
  apply(clusters: readonly Cluster[]): void {
    this.add(clusters);
    const names = new Set(clusters.map(({ name }) => name));
    for (const [name, entry] of this.entries) {
      if (names.has(name)) continue;
      entry.runtime.close();
      this.entries.delete(name);
    }
  }

  /** The first half of `apply`: clusters of the next table are there, those that only the live table names still are. */
  add(clusters: readonly Cluster[]): void {
    for (const cluster of clusters) {
      const entry = this.entries.get(cluster.name);
      if (entry === undefined) {
        this.entries.set(cluster.name, { cluster, runtime: new ClusterRuntime(cluster, this.environment) });
      } else if (entry.cluster !== cluster && !isDeepStrictEqual(entry.cluster, cluster)) {
        entry.cluster = cluster;
        entry.runtime.update(cluster);
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
}
