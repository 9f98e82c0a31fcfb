// The services that a route may lead to, by full name, with their ports.
import type { ResourceSet, SourceDocument } from "../model/index.ts";
import { isRecord } from "../parse/finding.ts";
import { Suggestions } from "./suggestions.ts";

export class KnownServices {
  readonly #ports = new Map<string, Set<number>>();
  readonly #suggestions: Suggestions;

  /** Every document's hosts, also of those with errors. */
  readonly #named: ReadonlySet<string>;

  constructor(
    { services, serviceEntries }: Pick<ResourceSet, "services" | "serviceEntries">,
    documents: readonly SourceDocument[],
  ) {
    this.#named = new Set(documents.flatMap(hostsOf));
    for (const { name, namespace, spec } of services) {
      this.#add(`${name}.${namespace}.svc.cluster.local`, spec.ports?.map(({ port }) => port) ?? []);
    }
    for (const { spec } of serviceEntries) {
      for (const host of spec.hosts) this.#add(host.toLowerCase(), spec.ports?.map(({ number }) => number) ?? []);
    }
    this.#suggestions = new Suggestions(this.#ports.keys());
  }

  /** True when only documents with errors define the host. */
  isUnreadable(host: string): boolean {
    return !this.#ports.has(host.toLowerCase()) && this.#named.has(host.toLowerCase());
  }

  /** Sorted port numbers; null when the host is no known service. */
  portsOf(host: string): readonly number[] | null {
    const ports = this.#ports.get(host.toLowerCase());
    return ports === undefined ? null : [...ports].toSorted((a, b) => a - b);
  }

  /** `Did you mean "cart.shop.svc.cluster.local"?`, for a full name that is not known. */
  suggest(host: string, namespace: string): string | undefined {
    const name = host.toLowerCase();
    // `cart.shop` and `cart.shop.svc` have a dot, so Istio takes them as full names and finds nothing.
    for (const ending of [".svc.cluster.local", ".cluster.local", ".local"]) {
      if (this.#ports.has(name + ending)) return `Did you mean ${JSON.stringify(name + ending)}?`;
    }
    const [service = ""] = name.split(".", 1);
    if (name === `${service}.${namespace}.svc.cluster.local`) {
      const elsewhere = this.#suggestions.startingWith(`${service}.`);
      if (elsewhere !== null) return `Did you mean ${JSON.stringify(elsewhere)}?`;
    }
    return this.#suggestions.didYouMean(name) ?? this.#suggestions.didYouMean(`${name}.svc.cluster.local`);
  }

  #add(host: string, ports: readonly number[]): void {
    const known = this.#ports.get(host);
    if (known === undefined) this.#ports.set(host, new Set(ports));
    else for (const port of ports) known.add(port);
  }
}

/** The hosts that a document defines, as far as that can be read without its schema. */
function hostsOf({ kind, name, namespace, value }: SourceDocument): readonly string[] {
  if (kind === "Service") return [`${name}.${namespace}.svc.cluster.local`];
  const spec = value["spec"];
  const hosts: unknown = kind === "ServiceEntry" && isRecord(spec) ? spec["hosts"] : [];
  return Array.isArray(hosts) ? hosts.filter((host) => typeof host === "string").map((host) => host.toLowerCase()) : [];
}
