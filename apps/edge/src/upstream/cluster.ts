// A cluster at run time: its endpoints' pools and the choice among them. It outlives tables: an update keeps the pools, and so the
// warm connections, of endpoints that remain.
import type { Cluster } from "@sluice/core/model";
import type { Random } from "./balancing/balanced.ts";
import type { BalancedRequest } from "./balancing/balanced-request.ts";
import { EndpointChooser } from "./balancing/endpoint-chooser.ts";
import { type ClusterCounters, type ClusterStats, createCounters, type EndpointStatus } from "./cluster-counters.ts";
import { HostResolver, type ResolverOptions } from "./dns/host-resolver.ts";
import { hostsOf, type Target, targetsOf } from "./endpoint-targets.ts";
import type { IdleClock } from "./idle-clock.ts";
import type { Transport } from "./lane.ts";
import { OutlierDetector, type OutlierEvent } from "./outlier/outlier-detector.ts";
import { EndpointPool } from "./pool.ts";
import { toPoolLimits } from "./pool-limits.ts";
import { RetryAdmission } from "./retry-admission.ts";
import { noSecrets, originationDigest, type SecretLookup, TlsOrigination } from "./tls-origination.ts";

/** What all clusters of a process share. */
export interface UpstreamEnvironment {
  readonly clock: IdleClock;
  readonly resolver: ResolverOptions;
  readonly random: Random;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  readonly onOutlierEvent: (cluster: string, event: OutlierEvent) => void;
}

const noEndpoints: readonly EndpointPool[] = [];

export class ClusterRuntime {
  readonly name: string;
  private readonly environment: UpstreamEnvironment;
  private readonly counters: ClusterCounters;
  private readonly resolver: HostResolver;
  private readonly outliers: OutlierDetector;
  private readonly retries: RetryAdmission;
  private cluster: Cluster;
  private transport: Transport;
  private pools: Map<string, EndpointPool>;
  /** Made when a request comes: most clusters of a large table have none. */
  private chooser: EndpointChooser<EndpointPool> | null;
  private firstResolution: Promise<void>;

  constructor(cluster: Cluster, environment: UpstreamEnvironment, secret: SecretLookup = noSecrets) {
    const { nowMs } = environment;
    this.name = cluster.name;
    this.environment = environment;
    this.counters = createCounters();
    this.resolver = new HostResolver(() => this.rebuild(), environment.resolver);
    this.outliers = new OutlierDetector({
      nowMs,
      onChange: () => this.chooser?.refresh(),
      onEvent: (event) => environment.onOutlierEvent(cluster.name, event),
    });
    this.retries = new RetryAdmission(cluster.limits, this.counters, nowMs);
    this.cluster = cluster;
    this.pools = new Map();
    this.chooser = null;
    this.firstResolution = Promise.resolve();
    this.transport = transportOf(cluster, secret, null);
    this.update(cluster, secret);
  }

  /**
   * The endpoint for a request; null when none is healthy (or none has resolved): `no_healthy_upstream`.
   *
   * @param request what a hash may be made of, which also receives a cookie made for it; null: anywhere
   * @param avoided endpoints to avoid, if there are others (`retryIgnorePreviousHosts`)
   * @param left endpoints tried so far, where those of their priorities are to be avoided from the third attempt on (`retryRemoteLocalities`)
   */
  choose(
    request: BalancedRequest | null = null,
    avoided: readonly EndpointPool[] = noEndpoints,
    left: readonly EndpointPool[] = noEndpoints,
  ): EndpointPool | null {
    return (this.chooser ??= this.createChooser()).choose(request, avoided, left);
  }

  /** True when one more retry may begin (`maxRetries`, retry budget); `endRetry` is owed then. */
  beginRetry(): boolean {
    return this.retries.begin();
  }

  endRetry(): void {
    this.retries.end();
  }

  /**
   * Takes on a new version of the cluster, or of its secrets. Endpoints that remain keep their connections, the others finish what
   * they carry; so do all when it is reached in another way than before.
   */
  update(cluster: Cluster, secret: SecretLookup = noSecrets): void {
    this.cluster = cluster;
    this.retries.update(cluster.limits);
    this.takeTransport(transportOf(cluster, secret, this.transport.tls));
    this.firstResolution = this.resolver.watch(hostsOf(cluster));
    this.rebuild();
  }

  /** Resolves when every host name has been looked up once, whether it answered or not. At once without host names. */
  whenResolved(): Promise<void> {
    return this.firstResolution;
  }

  /** The cluster is gone: requests under way finish, `choose` finds nothing. */
  close(): void {
    this.resolver.close();
    this.outliers.watch([], null);
    for (const pool of this.pools.values()) pool.retire();
    this.pools = new Map();
    this.chooser = null;
  }

  stats(): ClusterStats {
    return { cluster: this.name, endpoints: this.pools.size, ...this.counters, ...this.outliers.stats() };
  }

  /** One row an endpoint, for the admin port. */
  endpointStatus(): EndpointStatus[] {
    const ejected = new Map(this.outliers.stats().ejected.map((row) => [row.endpoint, row]));
    return [...this.pools.values()].map(({ address, weight, priority, locality, activeRequests }) => {
      const { reason, leftMs } = ejected.get(address) ?? { reason: null, leftMs: 0 };
      return { address, weight, priority, locality, activeRequests, ejectedFor: reason, ejectedForMs: leftMs };
    });
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
    for (const [key, target] of targetsOf(this.cluster, (host) => this.resolver.addressesOf(host))) {
      const pool = this.pools.get(key) ?? this.createPool(target);
      pool.update(target);
      pools.set(key, pool);
    }
    for (const [key, pool] of this.pools) {
      if (!pools.has(key)) pool.retire();
    }
    this.pools = pools;
    this.outliers.watch(pools.values(), this.cluster.outlierDetection);
    this.chooser = null;
  }

  private createChooser(): EndpointChooser<EndpointPool> {
    const { balancer, outlierDetection, warmup } = this.cluster;
    const { nowMs, random } = this.environment;
    // Istio's: the panic threshold is `minHealthPercent`, so 0 unless somebody asks for it (Envoy's own default is 50).
    const panicPercent = outlierDetection?.minHealthPercent ?? 0;
    return new EndpointChooser([...this.pools.values()], { balancer, warmup, panicPercent, random, nowMs });
  }

  private createPool(target: Target): EndpointPool {
    const { counters, environment, retries, transport } = this;
    const { clock, nowMs } = environment;
    return new EndpointPool({ target, knownSinceMs: nowMs(), transport, counters, retries, clock });
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
