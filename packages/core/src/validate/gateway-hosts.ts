// Which hosts the servers of each Gateway serve to virtual services of a namespace (istio-semantics 2.3, 2.4).
import type { GatewaySpec, Resource, SourceDocument } from "../model/index.ts";
import { HostSet } from "./hosts.ts";
import { Suggestions } from "./suggestions.ts";

export class GatewayHosts {
  readonly #gateways = new Map<string, Resource<GatewaySpec>>();
  /** By gateway and namespace: servers may restrict hosts to one namespace. */
  readonly #hosts = new Map<string, HostSet>();
  /** The first gateway of each name, whatever its namespace. */
  readonly #byName = new Map<string, string>();
  readonly #suggestions: Suggestions;

  /** Every document, also those with errors. */
  readonly #named: ReadonlySet<string>;

  constructor(gateways: readonly Resource<GatewaySpec>[], documents: readonly SourceDocument[]) {
    this.#named = new Set(
      documents.filter(({ kind }) => kind === "Gateway").map(({ namespace, name }) => `${namespace}/${name}`),
    );
    for (const gateway of gateways) {
      const fullName = `${gateway.namespace}/${gateway.name}`;
      this.#gateways.set(fullName, gateway);
      if (!this.#byName.has(gateway.name)) this.#byName.set(gateway.name, fullName);
    }
    this.#suggestions = new Suggestions(this.#gateways.keys());
  }

  /** True when the gateway, `namespace/name`, exists, be it with errors. */
  has(gateway: string): boolean {
    return this.#gateways.has(gateway) || this.#named.has(gateway);
  }

  /** True when the gateway exists without errors, so that its hosts are known. */
  isReadable(gateway: string): boolean {
    return this.#gateways.has(gateway);
  }

  /** True when a server of the gateway has a host in common with `host` of a virtual service in `namespace`. */
  serves(gateway: string, host: string, namespace: string): boolean {
    const key = `${gateway} ${namespace}`;
    let hosts = this.#hosts.get(key);
    if (hosts === undefined) {
      hosts = new HostSet(this.#hostsFor(gateway, namespace));
      this.#hosts.set(key, hosts);
    }
    return hosts.intersecting(host) !== null;
  }

  /** A hint: the gateway of this name in another namespace, else the nearest name. */
  suggest(gateway: string, namespace: string): string | undefined {
    const elsewhere = this.#byName.get(gateway.slice(gateway.indexOf("/") + 1));
    if (elsewhere === undefined) return this.#suggestions.didYouMean(gateway);
    return `Did you mean ${JSON.stringify(elsewhere)}? A name without a namespace is looked up in ${namespace}.`;
  }

  *#hostsFor(gateway: string, namespace: string): Generator<string> {
    const resource = this.#gateways.get(gateway);
    for (const server of resource?.spec.servers ?? []) {
      for (const host of server.hosts) {
        const slash = host.indexOf("/");
        const owner = slash < 0 ? "*" : host.slice(0, slash);
        const isVisible = owner === "*" || (owner === "." ? resource?.namespace : owner) === namespace;
        if (isVisible) yield host.slice(slash + 1);
      }
    }
  }
}
