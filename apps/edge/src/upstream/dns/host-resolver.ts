// Keeps the addresses of host names current (Envoy's STRICT_DNS): looked up at once and every five seconds after. A name that stops
// resolving keeps its last good addresses: a DNS outage must not become ours.
import { lookup as systemLookup } from "node:dns/promises";
import type { Random } from "./balancer.ts";

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export type Lookup = (host: string) => Promise<readonly ResolvedAddress[]>;

export interface ResolverOptions {
  readonly lookup: Lookup;
  readonly random: Random;
  readonly intervalMs: number;
}

const lookupAll: Lookup = (host) => systemLookup(host, { all: true, verbatim: true });

export const defaultResolverOptions: ResolverOptions = { lookup: lookupAll, random: Math.random, intervalMs: 5000 };

export class HostResolver {
  private readonly onChange: () => void;
  private readonly options: ResolverOptions;
  /** Last good answers. */
  private readonly known: Map<string, readonly string[]>;
  private hosts: readonly string[];
  private timer: NodeJS.Timeout | null;
  /** Counts changes of `hosts`, so that an answer to an earlier set starts no second timer. */
  private generation: number;
  private firstAnswers: Promise<void>;

  /** `onChange` is called when the addresses of any host are not what they were. */
  constructor(onChange: () => void, options: ResolverOptions = defaultResolverOptions) {
    this.onChange = onChange;
    this.options = options;
    this.known = new Map();
    this.hosts = [];
    this.timer = null;
    this.generation = 0;
    this.firstAnswers = Promise.resolve();
  }

  /** Addresses of a host in a fixed order, IPv4 where it has any; none before it first resolved. */
  addressesOf(host: string): readonly string[] {
    return this.known.get(host) ?? [];
  }

  /** Replaces the set of hosts. Resolves when each has been asked for once, whether it answered or not. */
  watch(hosts: readonly string[]): Promise<void> {
    const wanted = new Set(hosts);
    const isUnchanged = wanted.size === this.hosts.length && this.hosts.every((host) => wanted.has(host));
    if (isUnchanged) return this.firstAnswers;
    this.close();
    this.hosts = [...wanted];
    for (const host of this.known.keys()) {
      if (!wanted.has(host)) this.known.delete(host);
    }
    this.firstAnswers = this.refresh();
    return this.firstAnswers;
  }

  /** Asks for every host; then again after the interval, shortened by up to a tenth so that workers do not ask in step. */
  async refresh(): Promise<void> {
    const { generation, hosts } = this;
    if (hosts.length === 0) return;
    const changes = await Promise.all(hosts.map((host) => this.resolve(host, generation)));
    if (generation !== this.generation) return;
    if (changes.includes(true)) this.onChange();
    const { intervalMs, random } = this.options;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), intervalMs * (1 - random() / 10));
    this.timer.unref();
  }

  close(): void {
    this.generation++;
    this.hosts = [];
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private async resolve(host: string, generation: number): Promise<boolean> {
    let answers: readonly ResolvedAddress[];
    try {
      answers = await this.options.lookup(host);
    } catch {
      return false;
    }
    const addresses = preferredAddresses(answers);
    if (generation !== this.generation || addresses.length === 0) return false;
    const before = this.addressesOf(host);
    this.known.set(host, addresses);
    return before.join() !== addresses.join();
  }
}

/** Istio's single-stack default: the IPv4 addresses, or the IPv6 ones where there are no others. Sorted, each once. */
function preferredAddresses(answers: readonly ResolvedAddress[]): string[] {
  const family = answers.some((answer) => answer.family === 4) ? 4 : 6;
  const addresses = answers.filter((answer) => answer.family === family).map((answer) => answer.address);
  return [...new Set(addresses)].toSorted();
}
