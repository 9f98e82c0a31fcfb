// A cluster at run time: its endpoints' pools and the choice among them. It outlives tables: an update keeps the pools, and so the
// warm connections, of endpoints that remain.
import { isIP } from "node:net";
import type { Cluster, Endpoint } from "@sluice/core/model";
import { LeastRequestBalancer, type Random } from "./balancer.ts";
import { type ClusterCounters, type ClusterStats, createCounters } from "./cluster-counters.ts";
import type { IdleClock } from "./idle-clock.ts";
import { EndpointPool, type PoolLimits } from "./pool.ts";
import { HostResolver, type ResolverOptions } from "./resolver.ts";

/** What all clusters of a process share. */
export interface UpstreamEnvironment {
  readonly clock: IdleClock;
  readonly limits: PoolLimits;
  readonly resolver: ResolverOptions;
  readonly random: Random;
}

/** One address to connect to. */
interface Target {
  readonly host: string;
  readonly port: number;
  weight: number;
}

export class ClusterRuntime {
  readonly name: string;
  private readonly environment: UpstreamEnvironment;
  private readonly counters: ClusterCounters;
  private readonly resolver: HostResolver;
  private cluster: Cluster;
  private pools: Map<string, EndpointPool>;
  private balancer: LeastRequestBalancer<EndpointPool>;
  private firstResolution: Promise<void>;

  constructor(cluster: Cluster, environment: UpstreamEnvironment) {
    this.name = cluster.name;
    this.environment = environment;
    this.counters = createCounters();
    this.resolver = new HostResolver(() => this.rebuild(), environment.resolver);
    this.cluster = cluster;
    this.pools = new Map();
    this.balancer = new LeastRequestBalancer([], environment.random);
    this.firstResolution = Promise.resolve();
    this.update(cluster);
  }

  /** The endpoint for the next request; null when none is healthy (or none has resolved): `no_healthy_upstream`. */
  choose(): EndpointPool | null {
    return this.balancer.choose();
  }

  /** Takes on a new version of the cluster. Endpoints that remain keep their connections, the others finish what they carry. */
  update(cluster: Cluster): void {
    this.cluster = cluster;
    const hosts = cluster.endpoints.filter((endpoint) => isIP(endpoint.address) === 0).map(({ address }) => address);
    this.firstResolution = this.resolver.watch(hosts);
    this.rebuild();
  }

  /** Resolves when every host name has been looked up once, whether it answered or not. At once without host names. */
  whenResolved(): Promise<void> {
    return this.firstResolution;
  }

  /** The cluster is gone: requests under way finish, `choose` finds nothing. */
  close(): void {
    this.resolver.close();
    for (const pool of this.pools.values()) pool.retire();
    this.pools = new Map();
    this.balancer = new LeastRequestBalancer([], this.environment.random);
  }

  stats(): ClusterStats {
    return { cluster: this.name, endpoints: this.pools.size, ...this.counters };
  }

  /** The cluster as the live table has it. */
  get source(): Cluster {
    return this.cluster;
  }

  /** Connections that are open, of any kind, to any of its endpoints. */
  get openConnections(): number {
    return this.counters.openConnections;
  }

  private rebuild(): void {
    const pools = new Map<string, EndpointPool>();
    for (const [key, target] of this.targets()) {
      const pool = this.pools.get(key) ?? this.createPool(target);
      pool.weight = target.weight;
      pool.connectTimeoutMs = this.cluster.connectTimeoutMs;
      pools.set(key, pool);
    }
    for (const [key, pool] of this.pools) {
      if (!pools.has(key)) pool.retire();
    }
    this.pools = pools;
    this.balancer = new LeastRequestBalancer([...pools.values()], this.environment.random);
  }

  /** Healthy addresses in the table's order; one listed twice counts once, with both weights. */
  private targets(): Map<string, Target> {
    const targets = new Map<string, Target>();
    for (const endpoint of this.cluster.endpoints) {
      if (!endpoint.healthy) continue;
      for (const host of this.addressesOf(endpoint)) {
        const key = `${host} ${endpoint.port}`;
        const known = targets.get(key);
        if (known === undefined) targets.set(key, { host, port: endpoint.port, weight: endpoint.weight });
        else known.weight += endpoint.weight;
      }
    }
    return targets;
  }

  private addressesOf(endpoint: Endpoint): readonly string[] {
    return isIP(endpoint.address) === 0 ? this.resolver.addressesOf(endpoint.address) : [endpoint.address];
  }

  private createPool(target: Target): EndpointPool {
    const { clock, limits } = this.environment;
    const { counters } = this;
    const { connectTimeoutMs } = this.cluster;
    return new EndpointPool({ host: target.host, port: target.port, connectTimeoutMs, limits, counters, clock });
  }
}
