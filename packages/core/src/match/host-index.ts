// Finds the virtual host of a request's host: exact, longest wildcard, then `*`.
import type { VirtualHost } from "../model/index.ts";
import { SuffixMap } from "./suffix-map.ts";
import { matcherFor } from "./virtual-host-matcher.ts";
import type { VirtualHostMatcher } from "./virtual-host-matcher.ts";

export class HostIndex {
  readonly #domains = new SuffixMap<VirtualHostMatcher>();
  /** The virtual host of `*`, which also takes an empty host. */
  #any: VirtualHostMatcher | null = null;

  constructor(virtualHosts: readonly VirtualHost[]) {
    for (const virtualHost of virtualHosts) {
      const matcher = matcherFor(virtualHost);
      for (const domain of virtualHost.domains) {
        if (domain === "*") this.#any ??= matcher;
        else this.#domains.set(domain, matcher);
      }
    }
  }

  /** @param host as `normalizeAuthority` returns it: lower case, without port */
  find(host: string): VirtualHostMatcher | null {
    return this.#domains.get(host) ?? this.#any;
  }
}

/** Indexes the virtual hosts of one route config. */
export function buildVirtualHostIndex(virtualHosts: readonly VirtualHost[]): HostIndex {
  return new HostIndex(virtualHosts);
}
