// The TLS server of each filter chain: built when its first client arrives, rebuilt when anything it was made from changed.
import type { TLSSocket, Server as TlsServer } from "node:tls";
import { createServer } from "node:tls";
import { LRUCache } from "lru-cache";
import { buildChainOptions, chainDigest, ChainUnusable } from "../../tls/chain-options.ts";
import type { ChainSource } from "../../tls/chain-options.ts";
import { trustDigest } from "../../tls/trust-digest.ts";
import type { ListenerSpec } from "../listener.ts";
import type { ListenerState, TlsFilterChain } from "./listener-state.ts";

/** A chain with all it needs to shake hands, or with the reason why it cannot. */
export interface ChainServer {
  readonly chain: TlsFilterChain;
  /** What the chain demands of clients; see tls/trust-digest.ts. */
  readonly trust: string;
  /** Never listens: connections are emitted into it. Null when the chain refuses every connection. */
  readonly server: TlsServer | null;
  /** Why it refuses; empty when it serves. */
  readonly reason: string;
}

export interface ChainServerEvents {
  onSecure(socket: TLSSocket, chainServer: ChainServer): void;
  onTlsError(error: Error, socket: TLSSocket, chainServer: ChainServer): void;
}

interface Entry {
  /** The specification this entry was last compared with. */
  spec: ListenerSpec;
  readonly digest: string;
  readonly chainServer: ChainServer;
}

/** More than that many names in use at once on one listener build some chains again and again; each holds an OpenSSL context. */
const maxChains = 4096;

export class ChainServers {
  readonly #state: ListenerState;
  readonly #events: ChainServerEvents;
  readonly #entries = new LRUCache<string, Entry>({ max: maxChains });

  constructor(state: ListenerState, events: ChainServerEvents) {
    this.#state = state;
    this.#events = events;
  }

  /** The server for a chain of the listener's specification of this moment. */
  get(chain: TlsFilterChain): ChainServer {
    const { spec, context, name } = this.#state;
    const known = this.#entries.get(chain.name);
    if (known?.spec === spec) return known.chainServer;
    const source: ChainSource = {
      listener: name,
      chain,
      secret: (secret) => spec.secret(secret),
      ticketSecret: context.ticketSecret,
    };
    const digest = chainDigest(source);
    if (known?.digest === digest) {
      known.spec = spec;
      return known.chainServer;
    }
    const chainServer = this.#build(source);
    this.#entries.set(chain.name, { spec, digest, chainServer });
    return chainServer;
  }

  /** Never throws and never falls back: whatever is wrong with a chain closes that chain and no other. */
  #build(source: ChainSource): ChainServer {
    const { chain } = source;
    const trust = trustDigest(chain.tls, source.secret);
    try {
      const handshakeTimeout = Math.ceil(this.#state.context.limits.handshakeTimeoutMs / 2);
      const server = createServer({ ...buildChainOptions(source), handshakeTimeout });
      const chainServer: ChainServer = { chain, trust, server, reason: "" };
      server.on("secureConnection", (socket) => this.#events.onSecure(socket, chainServer));
      server.on("tlsClientError", (error, socket) => this.#events.onTlsError(error, socket, chainServer));
      return chainServer;
    } catch (error) {
      const reason = error instanceof ChainUnusable ? error.reason : "tls_context_invalid";
      return { chain, trust, server: null, reason };
    }
  }
}
