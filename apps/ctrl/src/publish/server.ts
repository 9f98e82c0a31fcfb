// Serves the current table to every edge on this machine, over a unix socket, and takes it back everywhere when one cannot serve it.
import { createServer, type Server } from "node:net";
import type { EncodedTable } from "@sluice/core/wire";
import type { VersionStore } from "../store/versions.ts";
import { EdgeConnection, type EdgeConnectionEvents, type EdgeStatus } from "./edge-connection.ts";
import { listenOnSocketFile } from "./socket-file.ts";

/** Edges on one machine; connections beyond are closed at once. */
const maxEdges = 256;

/** What the publisher has to tell: to a log. */
export interface PublisherEvents {
  onConnect(edge: EdgeStatus): void;
  onDisconnect(edge: EdgeStatus, reason: string | null): void;
  onAck(edge: EdgeStatus, version: string): void;
  /** `current` is the version that all edges are sent instead, null when there is none. */
  onRollback(event: {
    readonly edge: string;
    readonly version: string;
    readonly reason: string;
    readonly current: string | null;
  }): void;
}

export interface PublisherOptions {
  readonly socketPath: string;
  /** Where the API is, for the edges' ready line. */
  readonly ctrlUrl: string;
  readonly store: VersionStore;
  readonly events: PublisherEvents;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #server: Server;
  readonly #connections = new Set<EdgeConnection>();
  /** Those that said hello. */
  readonly #edges = new Set<EdgeConnection>();
  readonly #onIdle = new Set<() => void>();

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#server = createServer((socket) => {
      this.#connections.add(new EdgeConnection(socket, options.ctrlUrl, this.#connectionEvents()));
    });
    this.#server.maxConnections = maxEdges;
    options.store.onChange((table) => this.#broadcast(table));
  }

  /** @throws Error when another ctrl serves the socket, or it cannot be made */
  async listen(): Promise<void> {
    await listenOnSocketFile(this.#server, this.#options.socketPath);
  }

  get edges(): EdgeStatus[] {
    return [...this.#edges].map((edge) => edge.status);
  }

  /** Resolves when no edge is connected. */
  async untilNoEdges(): Promise<void> {
    if (this.#edges.size > 0) await new Promise<void>((resolve) => this.#onIdle.add(resolve));
  }

  /** Stops listening, which removes the socket file, and cuts the edges off; they go on serving. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.close();
    await closed;
  }

  #connectionEvents(): EdgeConnectionEvents {
    const { store, events } = this.#options;
    return {
      onHello: (edge) => {
        this.#edges.add(edge);
        events.onConnect(edge.status);
        this.#offer(edge, store.current?.table ?? null);
      },
      onAck: (edge, version) => {
        store.confirm(version);
        events.onAck(edge.status, version);
      },
      onNack: (edge, { version, worker, reason }) => {
        const who = worker === null ? edge.status.id : `${edge.status.id}, worker ${worker}`;
        this.#reject(who, version, reason);
      },
      onUnsendable: (edge, version, error) => this.#reject(edge.status.id, version, String(error)),
      onClose: (edge, reason) => this.#onClose(edge, reason),
    };
  }

  #reject(edge: string, version: string, reason: string): void {
    const { store, events } = this.#options;
    store.reject(version, `${edge}: ${reason}`);
    events.onRollback({ edge, version, reason, current: store.current?.table.version ?? null });
  }

  #onClose(edge: EdgeConnection, reason: string | null): void {
    this.#connections.delete(edge);
    if (this.#edges.delete(edge) || reason !== null) this.#options.events.onDisconnect(edge.status, reason);
    if (this.#edges.size > 0) return;
    for (const resolve of this.#onIdle) resolve();
    this.#onIdle.clear();
  }

  #broadcast(table: EncodedTable | null): void {
    for (const edge of this.#edges) this.#offer(edge, table);
  }

  #offer(edge: EdgeConnection, table: EncodedTable | null): void {
    if (table !== null) edge.offer(table);
    else {
      const reason = this.#options.store.whyNothing;
      if (reason !== null) edge.refuse(reason);
    }
  }
}
