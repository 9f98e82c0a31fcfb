// Serves the current table to every edge, over a unix socket on this machine and mutual TLS from others, and takes it back everywhere when
// one cannot serve it.
import { createServer, type Server, type Socket } from "node:net";
import { findIdentityProblem } from "@sluice/core/match";
import type { EncodedTable } from "@sluice/core/wire";
import type { VersionStore } from "../store/versions.ts";
import { CommitFrames } from "./commit-frames.ts";
import { defaultTiming, EdgeConnection, type EdgeConnectionEvents, type EdgeTiming } from "./edge-connection.ts";
import type { EdgeStatus } from "./edge-status.ts";
import {
  defaultRemoteLimits,
  type PublishSettings,
  type RemoteLimits,
  RemoteListener,
  type VerifiedPeer,
} from "./remote-listener.ts";
import { listenOnSocketFile } from "./socket-file.ts";

/** Edges on one machine; connections beyond are closed at once. */
const maxEdges = 256;
/** Edges on other machines. */
const maxRemoteEdges = 1024;

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
  /** Somebody on another machine was turned away before it could say who it is. */
  onStranger(address: string, reason: string): void;
  /** See `RemoteEvents`. */
  onCredentials(problem: string | null): void;
}

export interface PublisherOptions {
  readonly socketPath: string;
  /** Where the API is, for the edges' ready line. */
  readonly ctrlUrl: string;
  readonly store: VersionStore;
  readonly events: PublisherEvents;
  /** For edges of other machines. */
  readonly remote?: PublishSettings | undefined;
  readonly timing?: Partial<EdgeTiming>;
  readonly remoteLimits?: RemoteLimits;
}

/** An edge of another machine, and until when its certificate vouches for it. */
interface RemotePeer {
  readonly notAfterMs: number;
}

export class Publisher {
  readonly #options: PublisherOptions;
  readonly #server: Server;
  readonly #frames = new CommitFrames();
  readonly #connections = new Set<EdgeConnection>();
  readonly #remotePeers = new Map<EdgeConnection, RemotePeer>();
  /** Those that said hello. */
  readonly #edges = new Set<EdgeConnection>();
  readonly #onIdle = new Set<() => void>();
  readonly #remote: RemoteListener | null;
  #timer: NodeJS.Timeout | null = null;

  /** @throws Error when the certificates for edges of other machines cannot be used */
  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#attend(socket, "local", () => null));
    this.#server.maxConnections = maxEdges;
    this.#remote = options.remote === undefined ? null : this.#createRemote(options.remote);
    options.store.onChange((table) => this.#broadcast(table));
  }

  /**
   * Resolves with the address for edges of other machines, null where there is none.
   *
   * @throws Error when another ctrl serves the socket, or it or the address cannot be had
   */
  async listen(): Promise<string | null> {
    await listenOnSocketFile(this.#server, this.#options.socketPath);
    if (this.#remote === null) return null;
    const { lookEveryMs } = this.#options.remoteLimits ?? defaultRemoteLimits;
    this.#timer = setInterval(() => this.#closeExpired(), lookEveryMs);
    return await this.#remote.listen();
  }

  /** When the certificate that is shown to edges of other machines ends; null where there is none. */
  get certificateEndMs(): number | null {
    return this.#remote?.notAfterMs ?? null;
  }

  get edges(): EdgeStatus[] {
    return [...this.#edges].map((edge) => edge.status);
  }

  /** Resolves when no edge of this machine is connected. Those of others go on without this ctrl. */
  async untilNoEdges(): Promise<void> {
    if (this.#hasLocalEdge) await new Promise<void>((resolve) => this.#onIdle.add(resolve));
  }

  get #hasLocalEdge(): boolean {
    return [...this.#edges].some((edge) => !this.#remotePeers.has(edge));
  }

  /** Stops listening, which removes the socket file, and cuts the edges off; they go on serving. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const gone = [...this.#connections].map((connection) => connection.closed);
    for (const connection of this.#connections) connection.close();
    await Promise.all([closed, ...gone, this.#remote?.close()]);
  }

  #createRemote(settings: PublishSettings): RemoteListener {
    const { events, remoteLimits } = this.#options;
    const listener = {
      onPeer: (peer: VerifiedPeer) => this.#onPeer(peer, settings),
      onStranger: (address: string, reason: string) => events.onStranger(address, reason),
      onCredentials: (problem: string | null) => events.onCredentials(problem),
      onAuthorityWithdrawn: () => this.#closePeers(() => "an authority was withdrawn; show a certificate anew"),
    };
    return new RemoteListener(settings, listener, remoteLimits);
  }

  #onPeer({ socket, address, certificate }: VerifiedPeer, { tls }: PublishSettings): void {
    if (this.#remotePeers.size >= maxRemoteEdges) {
      socket.destroy();
      return this.#options.events.onStranger(address, `there are ${maxRemoteEdges} edges already`);
    }
    const findObjection = (id: string) => findIdentityProblem(certificate.raw, id, tls.allowedIdentities);
    const connection = this.#attend(socket, address, findObjection);
    this.#remotePeers.set(connection, { notAfterMs: Date.parse(certificate.validTo) });
  }

  #attend(socket: Socket, address: string, findObjection: (edgeId: string) => string | null): EdgeConnection {
    const { ctrlUrl, timing } = this.#options;
    const options = { ctrlUrl, address, findObjection, frames: this.#frames, timing: { ...defaultTiming, ...timing } };
    const connection = new EdgeConnection(socket, options, this.#connectionEvents());
    this.#connections.add(connection);
    return connection;
  }

  /** A stream lives longer than a certificate may. It comes back at once where the files hold a newer one. */
  #closeExpired(): void {
    const nowMs = Date.now();
    this.#closePeers(({ notAfterMs }) => (notAfterMs < nowMs ? "its certificate has expired" : null));
  }

  #closePeers(reasonFor: (peer: RemotePeer) => string | null): void {
    for (const [connection, peer] of this.#remotePeers) {
      const reason = reasonFor(peer);
      if (reason !== null) connection.close(reason);
    }
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
    this.#remotePeers.delete(edge);
    if (this.#edges.delete(edge) || reason !== null) this.#options.events.onDisconnect(edge.status, reason);
    if (this.#hasLocalEdge) return;
    for (const resolve of this.#onIdle) resolve();
    this.#onIdle.clear();
  }

  #broadcast(table: EncodedTable | null): void {
    for (const edge of this.#edges) this.#offer(edge, table);
  }

  #offer(edge: EdgeConnection, table: EncodedTable | null): void {
    if (table !== null) {
      this.#frames.remember(table);
      edge.offer(table);
    } else {
      const reason = this.#options.store.whyNothing;
      if (reason !== null) edge.refuse(reason);
    }
  }
}
