// Every host that routes can lead to, and its ports: Kubernetes Services and the ServiceEntries that this gateway sees.
import {
  type Resource,
  resolveShortName,
  type ResourceSet,
  type ServiceEntryPort,
  type ServiceEntrySpec,
  type ServicePort,
  type ServiceSpec,
  visibilityFrom,
} from "../model/index.ts";
import { describeSite, type Findings } from "./findings.ts";
import { inCreationOrder } from "./order.ts";

/** One port of a known host. */
export type KnownPort =
  | { readonly kind: "service"; readonly service: Resource<ServiceSpec>; readonly port: ServicePort }
  | KnownEntryPort;

/** A port as a ServiceEntry declares it. */
export interface EntryPort {
  readonly entry: Resource<ServiceEntrySpec>;
  readonly port: ServiceEntryPort;
}

/** The first declaration decides protocol and resolution; the others add their endpoints. */
export interface KnownEntryPort extends EntryPort {
  readonly kind: "entry";
  readonly joined: EntryPort[];
}

/** Ports by number; the first declaration of a number stays. */
type PortMap = Map<number, KnownPort>;

/** A chain of ExternalName Services longer than this is a mistake. */
const maxAliases = 8;

export class ServiceRegistry {
  readonly #hosts = new Map<string, PortMap>();
  readonly #aliases = new Map<string, string>();

  find(host: string, port: number): KnownPort | null {
    return this.#hosts.get(host)?.get(port) ?? null;
  }

  /** The port of a host that has exactly one. */
  onlyPort(host: string): number | null {
    const ports = this.#hosts.get(host);
    if (ports?.size !== 1) return null;
    const [port] = ports.keys();
    return port ?? null;
  }

  /**
   * The host that a name stands for: a Service of type ExternalName is another name of its target where that is known here too, and
   * routes lead to the target's own cluster, with the target's rules. Every other name stands for itself.
   */
  targetOf(host: string): string {
    let target = host;
    // Names that stand for each other in a circle end where they began.
    for (let steps = 0; steps < maxAliases; steps++) {
      const next = this.#aliases.get(target);
      if (next === undefined || !this.#hosts.has(next)) return target;
      target = next;
    }
    return host;
  }

  addAlias(host: string, target: string): void {
    this.#aliases.set(host, target);
  }

  has(host: string): boolean {
    return this.#hosts.has(host);
  }

  portsOf(host: string): PortMap {
    let ports = this.#hosts.get(host);
    if (ports === undefined) this.#hosts.set(host, (ports = new Map()));
    return ports;
  }
}

/** Indexes Services and visible ServiceEntries by host. A Service wins over a ServiceEntry of the same host. */
export function buildServiceRegistry(resources: ResourceSet, namespace: string, findings: Findings): ServiceRegistry {
  const registry = new ServiceRegistry();
  for (const service of inCreationOrder(resources.services)) {
    const host = resolveShortName(service.name, service.namespace);
    const ports = registry.portsOf(host);
    const { externalName } = service.spec;
    if (externalName !== undefined) registry.addAlias(host, externalName.toLowerCase());
    for (const port of service.spec.ports ?? []) {
      if (port.protocol === undefined || port.protocol === "TCP")
        ports.set(port.port, { kind: "service", service, port });
    }
  }
  const serviceHosts = new Map(
    resources.services.map((service) => [resolveShortName(service.name, service.namespace), service]),
  );
  for (const entry of inCreationOrder(resources.serviceEntries)) {
    if (visibilityFrom(namespace, entry) !== "hidden") addEntry(entry, registry, { serviceHosts, findings });
  }
  return registry;
}

function addEntry(
  entry: Resource<ServiceEntrySpec>,
  registry: ServiceRegistry,
  known: { readonly serviceHosts: ReadonlyMap<string, Resource<ServiceSpec>>; readonly findings: Findings },
): void {
  for (const [index, host] of entry.spec.hosts.map((name) => name.toLowerCase()).entries()) {
    const service = known.serviceHosts.get(host);
    if (service !== undefined) {
      warnShadowed({ entry, index, host, findings: known.findings }, { kind: "service", resource: service });
      continue;
    }
    const ports = registry.portsOf(host);
    for (const port of entry.spec.ports ?? []) {
      const owner = ports.get(port.number);
      if (owner === undefined) ports.set(port.number, { kind: "entry", entry, port, joined: [] });
      else if (owner.kind === "entry" && isJoined(owner.entry, entry)) owner.joined.push({ entry, port });
      else if (owner.kind === "entry" && owner.entry !== entry) {
        warnShadowed({ entry, index, host, findings: known.findings }, { kind: "entry", resource: owner.entry });
      }
    }
  }
}

/**
 * ServiceEntries of one namespace share their endpoints where they say the same of a host (istiod collects endpoints by host and
 * namespace). A host that is resolved to one name at a time has no room for a second.
 */
function isJoined(owner: Resource<ServiceEntrySpec>, entry: Resource<ServiceEntrySpec>): boolean {
  const { resolution } = owner.spec;
  if (owner === entry || owner.namespace !== entry.namespace) return false;
  return resolution === entry.spec.resolution && resolution !== "DNS_ROUND_ROBIN";
}

function warnShadowed(
  loser: {
    readonly entry: Resource<ServiceEntrySpec>;
    readonly index: number;
    readonly host: string;
    readonly findings: Findings;
  },
  owner: { readonly kind: "service" | "entry"; readonly resource: Resource<unknown> },
): void {
  const path = owner.kind === "service" ? ["metadata", "name"] : ["spec", "hosts"];
  const place = describeSite("the one", { resource: owner.resource, path });
  loser.findings.warn(
    { resource: loser.entry, path: ["spec", "hosts", loser.index] },
    { code: "duplicate-service-host", message: `"${loser.host}" is declared twice; ${place} wins` },
  );
}
