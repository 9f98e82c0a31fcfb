// The services that a route may lead to, by full name, with their ports.
import {
  type Resource,
  type ResourceSet,
  type ServiceEntrySpec,
  type SourceDocument,
  visibilityFrom,
} from "../model/index.ts";
import { isRecord } from "../parse/finding.ts";
import { Suggestions } from "./suggestions.ts";

/** What a check of references has to be told. */
export interface ReferenceScope {
  /** All that were read. Those that are not among the resources have errors, but exist: to report what refers to them too would be an echo. */
  readonly documents: readonly SourceDocument[];
  /** What is exported to it can be routed to, as when compiling. */
  readonly gatewayNamespace: string;
}

export class KnownServices {
  readonly #ports = new Map<string, Set<number>>();
  /** What Services of type ExternalName stand for. */
  readonly #aliases = new Map<string, string>();
  readonly #suggestions: Suggestions;
  /** By host, what the gateway does not see; a host may be among the others too. */
  readonly #hidden = new Map<string, Resource<ServiceEntrySpec>>();
  readonly #gatewayNamespace: string;

  /** Every document's hosts, also of those with errors. */
  readonly #named: ReadonlySet<string>;

  constructor(
    { services, serviceEntries }: Pick<ResourceSet, "services" | "serviceEntries">,
    { documents, gatewayNamespace }: ReferenceScope,
  ) {
    this.#gatewayNamespace = gatewayNamespace;
    this.#named = new Set(documents.flatMap(hostsOf));
    for (const { name, namespace, spec } of services) {
      const host = `${name}.${namespace}.svc.cluster.local`;
      this.#add(host, spec.ports?.map(({ port }) => port) ?? []);
      if (spec.externalName !== undefined) this.#aliases.set(host, spec.externalName.toLowerCase());
    }
    for (const entry of serviceEntries) this.#addEntry(entry);
    this.#suggestions = new Suggestions(this.#ports.keys());
  }

  /** `exists in namespace pay, but is exported to . only`, for a host that the gateway, unlike others, does not see; else null. */
  whyHidden(host: string): string | null {
    const entry = this.#ports.has(host.toLowerCase()) ? undefined : this.#hidden.get(host.toLowerCase());
    if (entry === undefined) return null;
    const exportTo = entry.spec.exportTo ?? [];
    const audience = exportTo.includes("~") ? "nobody" : `${exportTo.join(", ")} only`;
    return `exists in namespace ${entry.namespace}, but is exported to ${audience}, not to ${this.#gatewayNamespace}, where the gateway runs`;
  }

  /** True when only documents with errors define the host. */
  isUnreadable(host: string): boolean {
    return !this.#ports.has(host.toLowerCase()) && this.#named.has(host.toLowerCase());
  }

  /** The known service that the host is another name of (ExternalName), in lower case; else the host. */
  targetOf(host: string): string {
    const target = this.#aliases.get(host.toLowerCase());
    return target !== undefined && this.#ports.has(target) ? target : host.toLowerCase();
  }

  /** Sorted port numbers; null when the host is no known service. */
  portsOf(host: string): readonly number[] | null {
    const ports = this.#ports.get(this.targetOf(host));
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

  #addEntry(entry: Resource<ServiceEntrySpec>): void {
    const isHidden = visibilityFrom(this.#gatewayNamespace, entry) === "hidden";
    for (const host of entry.spec.hosts.map((name) => name.toLowerCase())) {
      if (isHidden) this.#hidden.set(host, entry);
      else this.#add(host, entry.spec.ports?.map(({ number }) => number) ?? []);
    }
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
