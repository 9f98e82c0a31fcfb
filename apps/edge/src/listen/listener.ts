// What an engine must offer: listeners that accept connections and turn requests into exchanges.
import type { Listener, SecretResource } from "@sluice/core/model";
import type { ExchangeHandler } from "../exchange/exchange.ts";
import type { FailureCode } from "../exchange/failure.ts";
import type { NetworkHandler } from "../exchange/network-handler.ts";

/** One listener of the table with what its engine needs to serve it. */
export interface ListenerSpec {
  readonly listener: Listener;
  /** Address and port really bound. */
  readonly bindAddress: string;
  readonly bindPort: number;
  /** Resolves a secret by name; null when the table does not hold it. */
  secret(name: string): SecretResource | null;
}

/** Limits on what a client controls. Durations in milliseconds, sizes in bytes. */
export interface DownstreamLimits {
  /** From accept to the end of the TLS handshake; a PROXY protocol header before it has as long again. */
  readonly handshakeTimeoutMs: number;
  /** From the first byte of a request to the end of its head. */
  readonly requestHeadTimeoutMs: number;
  /** A keep-alive connection without a request. */
  readonly idleTimeoutMs: number;
  /** An answer of which the client takes nothing; 0: never. */
  readonly streamIdleTimeoutMs: number;
  readonly maxHeadBytes: number;
  readonly maxHeaderCount: number;
  /** Of the worker, over all its listeners. */
  readonly maxConnections: number;
  readonly maxConcurrentStreams: number;
  readonly maxResetStreamsPerMinute: number;
  readonly maxControlFramesPerMinute: number;
  /** Windows of HTTP/2: a stream's and a connection's. */
  readonly streamBufferBytes: number;
  readonly connectionBufferBytes: number;
  readonly webSocketBufferBytes: number;
  /** Serve HTTP/1.0. */
  readonly allowsHttp10: boolean;
}

/** What listeners report to the worker beside exchanges. Called on the hot path: no allocation. */
export interface ListenerObserver {
  onConnectionOpened(listener: string): void;
  onConnectionClosed(listener: string): void;
  /**
   * A connection that ended before a request could be read, in its handshake or for want of a PROXY protocol header; `reason` is short
   * and stable: `no_filter_chain`, `san_mismatch`, `proxy_protocol_missing`.
   */
  onHandshakeFailed(listener: string, filterChain: string | null, reason: string): void;
  /** A request refused by the engine before it became an exchange. */
  onRequestRefused(listener: string, failure: FailureCode): void;
}

/** Who reads and writes HTTP on `listen/node`: our own codec, or Node's. */
export type Codec = "own" | "node";

/** Client connections open now; one object for all listeners of a worker, because the limit is the worker's. */
export interface OpenConnections {
  count: number;
}

export interface EngineContext {
  readonly codec: Codec;
  readonly handler: ExchangeHandler;
  /** Takes connections of chains that forward raw bytes. */
  readonly network: NetworkHandler;
  readonly observer: ListenerObserver;
  readonly limits: DownstreamLimits;
  readonly openConnections: OpenConnections;
  /** 32 bytes shared by every worker and machine; session ticket keys derive from it. */
  readonly ticketSecret: Uint8Array;
}

/** A bound listener. */
export interface BoundListener {
  readonly name: string;
  readonly engine: "uws" | "node";
  /** The port really bound, also when 0 was asked for. */
  readonly boundPort: number;
  /** Takes a new state of the same listener: new chains, certificates, trust. Connections that are open stay open. */
  update(spec: ListenerSpec): void;
  /** Resolves when every new connection meets the state of the last update. */
  updated(): Promise<void>;
  /**
   * Stops accepting. Idle connections close; others close after the response under way. Resolves when none is left;
   * `abort` ends the rest at once.
   */
  drain(): Promise<void>;
  abort(): void;
}

/** Binds a listener. Rejects with a `BindError` when the address cannot be had. */
export type BindListener = (spec: ListenerSpec, context: EngineContext) => Promise<BoundListener>;

/** The address cannot be bound; `message` says which one and what to do. */
export class BindError extends Error {
  override readonly name = "BindError";
  readonly code: string;

  constructor(address: string, port: number, code: string) {
    super(`cannot listen on ${address}:${port}: ${explainBindCode(code)}`);
    this.code = code;
  }
}

function explainBindCode(code: string): string {
  if (code === "EADDRINUSE")
    return "the port is in use by another process (EADDRINUSE); stop that one, or map the port to a free one with edge.ports";
  if (code === "EACCES")
    return "permission denied (EACCES); ports below 1024 need CAP_NET_BIND_SERVICE, or map them with edge.ports";
  if (code === "EADDRNOTAVAIL") return "this machine has no such address (EADDRNOTAVAIL)";
  return code;
}
