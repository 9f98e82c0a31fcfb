// Chooses the filter chain of a connection by SNI, and says when a request on it asks for the host of another chain.
import { asciiLowerCase } from "./ascii.ts";
import type { FilterChain } from "../model/index.ts";
import { SuffixMap } from "./suffix-map.ts";

export class ChainIndex {
  readonly #named = new SuffixMap<FilterChain>();
  /** The chain without server names: it takes every connection that no name claims, also those without SNI. */
  #unnamed: FilterChain | null = null;

  constructor(filterChains: readonly FilterChain[]) {
    for (const chain of filterChains) {
      if (chain.serverNames.length === 0) this.#unnamed ??= chain;
      for (const name of chain.serverNames) this.#named.set(asciiLowerCase(name), chain);
    }
  }

  /** Exact name, longest wildcard, no names. The choice is final: a chain that fails later is not followed by another (2.2). */
  find(sni: string | null): FilterChain | null {
    const name = sni === null ? "" : normalizeServerName(sni);
    return (name === "" ? null : this.#named.get(name)) ?? this.#unnamed;
  }
}

/** Indexes the filter chains of one listener. */
export function buildChainIndex(filterChains: readonly FilterChain[]): ChainIndex {
  return new ChainIndex(filterChains);
}

/** The chain that a connection takes; null means that it is closed. */
export function selectFilterChain(index: ChainIndex, sni: string | null): FilterChain | null {
  return index.find(sni);
}

/**
 * True when `host` belongs to another chain of the listener than the one its connection came in on: 421, never that chain's routes.
 * Otherwise a client that passed the handshake of an open server could reach the hosts of one that demands a client certificate.
 *
 * @param host as `normalizeAuthority` returns it
 */
export function isMisdirected(index: ChainIndex, chain: FilterChain, host: string): boolean {
  const own = index.find(host);
  return own !== null && own !== chain;
}

/** Lower case, without one trailing dot. */
export function normalizeServerName(sni: string): string {
  return asciiLowerCase(sni.endsWith(".") ? sni.slice(0, -1) : sni);
}
