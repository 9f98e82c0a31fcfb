// What the parts of a bound listener share: the specification of the moment and where to report to.
import type { ChainIndex } from "@sluice/core/match";
import { buildChainIndex } from "@sluice/core/match";
import type { FilterChain, TlsContext } from "@sluice/core/model";
import type { EngineContext, ListenerSpec } from "../listener.ts";
import { Ticker } from "./ticker.ts";

export class ListenerState {
  readonly name: string;
  readonly context: EngineContext;
  readonly ticker = new Ticker();
  isDraining = false;
  #spec: ListenerSpec;
  #chainIndex: ChainIndex;

  constructor(spec: ListenerSpec, context: EngineContext) {
    this.name = spec.listener.name;
    this.context = context;
    this.#spec = spec;
    this.#chainIndex = buildChainIndex(spec.listener.filterChains);
  }

  /** A connection reads spec and index in one turn, so it never sees half of an update. */
  get spec(): ListenerSpec {
    return this.#spec;
  }

  get chainIndex(): ChainIndex {
    return this.#chainIndex;
  }

  update(spec: ListenerSpec): void {
    this.#chainIndex = buildChainIndex(spec.listener.filterChains);
    this.#spec = spec;
  }

  handshakeFailed(filterChain: string | null, reason: string): void {
    this.context.observer.onHandshakeFailed(this.name, filterChain, reason);
  }
}

export type TlsFilterChain = FilterChain & { readonly tls: TlsContext };

export function isTlsChain(chain: FilterChain): chain is TlsFilterChain {
  return chain.tls !== null;
}
