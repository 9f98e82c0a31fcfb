// Keeps the addresses of a cluster's host names current: each is looked up at once, and again when its answer has grown old. A name that
// stops resolving keeps its last good addresses: a DNS outage must not become ours.
import type { Random } from "../balancing/balanced.ts";
import { type HostAnswer, type Lookup, type ResolvedAddress, systemLookup } from "./lookup.ts";

export interface ResolverOptions {
  readonly lookup: Lookup;
  readonly random: Random;
  /** Of an answer that does not say how long it may be kept (the hosts file). */
  readonly defaultTtlMs: number;
  /** Bounds of what answers say: one that is asked for all the time, one that is never asked for again. */
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
}

export const defaultResolverOptions: ResolverOptions = {
  lookup: systemLookup([]),
  random: Math.random,
  defaultTtlMs: 5000,
  minTtlMs: 1000,
  maxTtlMs: 300_000,
};

/** After a failure the next attempt comes soon, after more of them ever later. */
const firstRetryMs = 1000;
const maxRetryMs = 30_000;

interface Host {
  readonly name: string;
  /** The last good answer. */
  addresses: readonly string[];
  failures: number;
  timer: NodeJS.Timeout | null;
}

export class HostResolver {
  private readonly onChange: () => void;
  private readonly options: ResolverOptions;
  private readonly hosts: Map<string, Host>;
  private firstAnswers: Promise<void>;

  /** `onChange` is called when the addresses of any host are not what they were. */
  constructor(onChange: () => void, options: ResolverOptions = defaultResolverOptions) {
    this.onChange = onChange;
    this.options = options;
    this.hosts = new Map();
    this.firstAnswers = Promise.resolve();
  }

  /** Addresses of a host in a fixed order, IPv4 where it has any; none before it first resolved. */
  addressesOf(host: string): readonly string[] {
    return this.hosts.get(host)?.addresses ?? [];
  }

  /** Replaces the set of hosts. Resolves when each new one has been asked for once, whether it answered or not. */
  watch(names: readonly string[]): Promise<void> {
    const wanted = new Set(names);
    for (const host of this.hosts.values()) {
      if (!wanted.has(host.name)) this.forget(host);
    }
    const added = [...wanted].filter((name) => !this.hosts.has(name));
    if (added.length === 0) return this.firstAnswers;
    const hosts = added.map((name): Host => ({ name, addresses: [], failures: 0, timer: null }));
    for (const host of hosts) this.hosts.set(host.name, host);
    this.firstAnswers = Promise.all([this.firstAnswers, this.askAll(hosts)]).then(() => {});
    return this.firstAnswers;
  }

  /** Asks for every host now. */
  refresh(): Promise<void> {
    return this.askAll([...this.hosts.values()]);
  }

  close(): void {
    for (const host of this.hosts.values()) this.forget(host);
  }

  /** Hosts that are asked for together change together: what comes of them is made once. */
  private async askAll(hosts: readonly Host[]): Promise<void> {
    const changes = await Promise.all(hosts.map((host) => this.ask(host)));
    if (changes.includes(true)) this.onChange();
  }

  /** Returns whether the host's addresses have changed. */
  private async ask(host: Host): Promise<boolean> {
    if (host.timer !== null) clearTimeout(host.timer);
    host.timer = null;
    const answer = await this.lookup(host.name);
    // Forgotten meanwhile, perhaps known anew.
    if (this.hosts.get(host.name) !== host) return false;
    const addresses = answer === null ? [] : preferredAddresses(answer.addresses);
    host.failures = addresses.length === 0 ? host.failures + 1 : 0;
    const pauseMs = host.failures > 0 ? this.retryPauseMs(host) : this.keptMs(answer);
    if (host.timer !== null) clearTimeout(host.timer);
    host.timer = setTimeout(() => void this.askAll([host]), pauseMs);
    host.timer.unref();
    if (addresses.length === 0 || addresses.join() === host.addresses.join()) return false;
    host.addresses = addresses;
    return true;
  }

  private async lookup(name: string): Promise<HostAnswer | null> {
    try {
      return await this.options.lookup(name);
    } catch {
      return null;
    }
  }

  /** Shortened by up to a tenth, so that workers do not ask in step. */
  private keptMs(answer: HostAnswer | null): number {
    const { defaultTtlMs, maxTtlMs, minTtlMs, random } = this.options;
    const ttlMs = Math.min(maxTtlMs, Math.max(minTtlMs, answer?.ttlMs ?? defaultTtlMs));
    return ttlMs * (1 - random() / 10);
  }

  private retryPauseMs({ failures }: Host): number {
    const { minTtlMs, random } = this.options;
    const pauseMs = Math.min(maxRetryMs, Math.min(firstRetryMs, minTtlMs) * 2 ** Math.min(failures - 1, 16));
    return pauseMs * (1 - random() / 2);
  }

  private forget(host: Host): void {
    if (host.timer !== null) clearTimeout(host.timer);
    host.timer = null;
    this.hosts.delete(host.name);
  }
}

/** Istio's single-stack default: the IPv4 addresses, or the IPv6 ones where there are no others. Sorted, each once. */
function preferredAddresses(answers: readonly ResolvedAddress[]): string[] {
  const family = answers.some((answer) => answer.family === 4) ? 4 : 6;
  const addresses = answers.filter((answer) => answer.family === family).map((answer) => answer.address);
  return [...new Set(addresses)].toSorted();
}
