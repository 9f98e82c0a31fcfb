// A cluster at run time: its endpoints' pools and the choice among them. It outlives tables: an update keeps the pools, and so the
// warm connections, of endpoints that remain.
import { isIP } from "node:net";
import type { Cluster, Endpoint } from "@sluice/core/model";
import type { Downstream } from "../exchange/downstream.ts";
import { LeastRequestBalancer, type Random } from "./balancer.ts";
import { type ClusterCounters, type ClusterStats, createCounters } from "./cluster-counters.ts";
import type { IdleClock } from "./idle-clock.ts";
import type { Transport } from "./lane.ts";
import { EndpointPool } from "./pool.ts";
import { toPoolLimits } from "./pool-limits.ts";
import { HostResolver, type ResolverOptions } from "./resolver.ts";
import { noSecrets, originationDigest, type SecretLookup, TlsOrigination } from "./tls-origination.ts";

/** What all clusters of a process share. */
export interface UpstreamEnvironment {
  readonly clock: IdleClock;
  readonly resolver: ResolverOptions;
  readonly random: Random;
}

/** One address to connect to. */
interface Target {
  readonly host: string;
  readonly port: number;
  weight: number;
}

/** What the choice of an endpoint may depend on; an exchange is one. */
export interface BalancedRequest {
  readonly query: string;
  readonly scheme: "http" | "https";
  readonly downstream: Pick<Downstream, "remoteAddress">;
  /** Receives the cookie that was made for a client without one; see `Exchange.setCookie`. */
  setCookie: string;
  header(name: string): string | null;
}

const noEndpoints: readonly EndpointPool[] = [];

export class ClusterRuntime {
  readonly name: string;
  private readonly environment: UpstreamEnvironment;
  private readonly counters: ClusterCounters;
  private readonly resolver: HostResolver;
  private cluster: Cluster;
  private transport: Transport;
  private pools: Map<string, EndpointPool>;
  private balancer: LeastRequestBalancer<EndpointPool>;
  private firstResolution: Promise<void>;

  constructor(cluster: Cluster, environment: UpstreamEnvironment, secret: SecretLookup = noSecrets) {
    this.name = cluster.name;
    this.environment = environment;
    this.counters = createCounters();
    this.resolver = new HostResolver(() => this.rebuild(), environment.resolver);
    this.cluster = cluster;
    this.pools = new Map();
    this.balancer = new LeastRequestBalancer([], environment.random);
    this.firstResolution = Promise.resolve();
    this.transport = transportOf(cluster, secret, null);
    this.update(cluster, secret);
  }

  /**
   * The endpoint for a request; null when none is healthy (or none has resolved): `no_healthy_upstream`.
   *
   * @param request what a hash may be made of; null for raw connections, of which only the client's address is known
   * @param tried endpoints to avoid, if there are others
   */
  choose(_request: BalancedRequest | null = null, _tried: readonly EndpointPool[] = noEndpoints): EndpointPool | null {
    return this.balancer.choose();
  }

  /** True when one more retry may begin (`maxRetries`, retry budget); `endRetry` is owed then. */
  beginRetry(): boolean {
    return true;
  }

  endRetry(): void {}

  /**
   * Takes on a new version of the cluster, or of its secrets. Endpoints that remain keep their connections, the others finish what
   * they carry; so do all when it is reached in another way than before.
   */
  update(cluster: Cluster, secret: SecretLookup = noSecrets): void {
    this.cluster = cluster;
    this.takeTransport(transportOf(cluster, secret, this.transport.tls));
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

  /** Why no connection over TLS may be opened; null when all is well, or without TLS. */
  get tlsProblem(): string | null {
    return this.transport.tls?.problem ?? null;
  }

  private takeTransport(next: Transport): void {
    const { transport } = this;
    const isSameWay =
      next.protocol === transport.protocol &&
      next.tls?.digest === transport.tls?.digest &&
      next.sendsProxyProtocol === transport.sendsProxyProtocol;
    if (isSameWay) {
      transport.limits = next.limits;
      transport.connectTimeoutMs = next.connectTimeoutMs;
      return;
    }
    this.transport = next;
    for (const pool of this.pools.values()) pool.retire();
    this.pools = new Map();
  }

  private rebuild(): void {
    const pools = new Map<string, EndpointPool>();
    for (const [key, target] of this.targets()) {
      const pool = this.pools.get(key) ?? this.createPool(target);
      pool.weight = target.weight;
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
    const { counters, environment, transport } = this;
    return new EndpointPool({ host: target.host, port: target.port, transport, counters, clock: environment.clock });
  }
}

/** @param known what TLS was made of so far, kept when it would be made of the same */
function transportOf(cluster: Cluster, secret: SecretLookup, known: TlsOrigination | null): Transport {
  const { connectTimeoutMs, protocol, sendsProxyProtocol, tls } = cluster;
  const isKnown = tls !== null && known !== null && known.digest === originationDigest(tls, secret);
  return {
    protocol,
    tls: tls === null ? null : isKnown ? known : new TlsOrigination(tls, secret),
    sendsProxyProtocol,
    connectTimeoutMs,
    limits: toPoolLimits(cluster.limits),
  };
}
