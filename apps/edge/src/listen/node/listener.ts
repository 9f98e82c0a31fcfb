// The engine on Node's own net and tls, with our HTTP codecs or Node's: binds a listener, accepts connections and hands them to TLS and HTTP.
import type { Server, Socket } from "node:net";
import { createServer } from "node:net";
import { setImmediate } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { Downstream } from "../../exchange/downstream.ts";
import { BindError } from "../listener.ts";
import type { BindListener, BoundListener, EngineContext, ListenerSpec } from "../listener.ts";
import { readProxyHeader } from "../proxy-protocol/read-proxy-header.ts";
import { acceptClear } from "./clear-acceptor.ts";
import { addressesOf, addressesOfHeader, type HttpConnection, NodeConnection } from "./connection.ts";
import { Http1Server } from "./http1-server.ts";
import { Http2Connection } from "./http2-connection.ts";
import { ListenerState } from "./listener-state.ts";
import { OwnHttp1Connection } from "./own/http1-connection.ts";
import { OwnHttp2Connection } from "./own/http2-connection.ts";
import { OwnServer } from "./own/server.ts";
import type { Admission } from "./tls-acceptor.ts";
import { TlsAcceptor } from "./tls-acceptor.ts";

/** Connections the kernel holds until they are accepted: a burst of handshakes on a busy worker. The kernel may allow fewer. */
const backlog = 4096;

/** Binds a listener with Node's own modules; see `BindListener`. */
export const bindNode: BindListener = async (spec, context) => {
  const listener = new NodeListener(spec, context);
  await listener.listen(spec.bindAddress, spec.bindPort);
  return listener;
};

class NodeListener implements BoundListener {
  readonly name: string;
  readonly engine = "node";
  readonly #state: ListenerState;
  readonly #server: Server;
  readonly #http1: Http1Server | OwnServer;
  /** Null where node:http2 reads HTTP/2. */
  readonly #ownHttp2: OwnServer | null;
  readonly #tls: TlsAcceptor;
  readonly #connections = new Set<NodeConnection>();
  #boundPort = 0;
  #drained: Promise<void> | null = null;

  constructor(spec: ListenerSpec, context: EngineContext) {
    this.name = spec.listener.name;
    this.#state = new ListenerState(spec, context);
    const isOwn = context.codec === "own";
    this.#http1 = isOwn ? new OwnServer(this.#state, OwnHttp1Connection) : new Http1Server(this.#state);
    this.#ownHttp2 = isOwn ? new OwnServer(this.#state, OwnHttp2Connection) : null;
    this.#tls = new TlsAcceptor(this.#state, {
      onEstablished: (...established) => this.#onEstablished(...established),
      onForward: (...admitted) => this.#forward(...admitted),
    });
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#accept(socket));
  }

  get boundPort(): number {
    return this.#boundPort;
  }

  /** Rejects with a `BindError`. Under node:cluster the handle is shared with the other workers. */
  async listen(address: string, port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => {
        this.#closeHttp();
        reject(new BindError(address, port, error.code ?? "UNKNOWN"));
      };
      this.#server.once("error", onError);
      this.#server.listen({ host: address, port, backlog }, () => {
        this.#server.off("error", onError);
        // Out of file descriptors: nothing was accepted, and the next connection tries again.
        this.#server.on("error", ignoreError);
        resolve();
      });
    });
    const bound = this.#server.address();
    this.#boundPort = bound !== null && typeof bound === "object" ? bound.port : port;
  }

  update(spec: ListenerSpec): void {
    this.#state.update(spec);
  }

  updated(): Promise<void> {
    return Promise.resolve();
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  async #drain(): Promise<void> {
    this.#state.isDraining = true;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of this.#connections) connection.http?.drain();
    await closed;
    // Node counts a connection out before it tells anyone. Aborts are told with the socket's close, over TLS a turn later.
    await Promise.all([...this.#connections].map(({ raw }) => new Promise((resolve) => raw.once("close", resolve))));
    await setImmediate();
    this.#closeHttp();
  }

  #closeHttp(): void {
    this.#http1.close();
    this.#ownHttp2?.close();
  }

  abort(): void {
    void this.drain();
    for (const connection of this.#connections) connection.raw.destroy();
  }

  #accept(socket: Socket): void {
    const { observer, limits, openConnections } = this.#state.context;
    socket.on("error", ignoreError);
    openConnections.count++;
    observer.onConnectionOpened(this.name);
    socket.once("close", () => {
      openConnections.count--;
      observer.onConnectionClosed(this.name);
    });
    const addresses = addressesOf(socket);
    if (addresses === null || openConnections.count > limits.maxConnections) {
      socket.destroy();
      return;
    }
    const connection = new NodeConnection(socket, addresses);
    this.#connections.add(connection);
    socket.once("close", () => this.#connections.delete(connection));
    if (this.#state.spec.listener.acceptsProxyProtocol) this.#readProxyHeader(connection);
    else this.#begin(connection);
  }

  #readProxyHeader(connection: NodeConnection): void {
    const { raw } = connection;
    readProxyHeader(raw, {
      timeoutMs: this.#state.context.limits.handshakeTimeoutMs,
      onHeader: (proxied) => {
        if (proxied !== null) connection.addresses = addressesOfHeader(proxied);
        this.#begin(connection);
        // What reads HTTP or TLS listens now; raw bytes wait for their upstream.
        if (this.#state.spec.listener.transport !== "tcp") raw.resume();
      },
      onRefused: (reason) => {
        raw.destroy();
        this.#state.handshakeFailed(null, reason);
      },
    });
  }

  #begin(connection: NodeConnection): void {
    const { transport } = this.#state.spec.listener;
    if (transport === "tcp") return this.#acceptRaw(connection);
    if (transport === "tls") this.#tls.accept(connection);
    else this.#acceptClear(connection);
  }

  #acceptRaw(connection: NodeConnection): void {
    const [chain] = this.#state.spec.listener.filterChains;
    // A chain with TLS is never read in clear, whatever the listener says of itself.
    if (chain === undefined || chain.forward === null || chain.tls !== null) connection.raw.destroy();
    else this.#forward(connection, connection.raw, { filterChain: chain.name, sni: null, trust: null });
  }

  /** Each half of it ends by itself. */
  #forward({ raw, addresses }: NodeConnection, socket: Socket, admission: Admission): void {
    socket.allowHalfOpen = true;
    socket.pause();
    this.#state.context.network.onConnection(socket, { listener: this.name, ...admission, ...addresses }, raw);
  }

  #acceptClear(connection: NodeConnection): void {
    const [chain] = this.#state.spec.listener.filterChains;
    // A chain with TLS is never served in clear, whatever the listener says of itself.
    if (chain === undefined || chain.tls !== null || chain.forward !== null) {
      connection.raw.destroy();
      return;
    }
    const downstream: Downstream = {
      listener: this.name,
      filterChain: chain.name,
      trust: "",
      scheme: "http",
      ...connection.addresses,
      sni: null,
      peerCertificate: null,
      tlsVersion: null,
    };
    const state = this.#state;
    connection.http = acceptClear(connection.raw, {
      timeoutMs: state.context.limits.requestHeadTimeoutMs,
      onHttp1: (socket) => (connection.http = this.#http1.accept(socket, downstream)),
      onHttp2: (socket) => (connection.http = this.#acceptHttp2(socket, downstream)),
    });
  }

  #acceptHttp2(socket: Socket, downstream: Downstream): HttpConnection {
    const state = this.#state;
    if (this.#ownHttp2 === null) return new Http2Connection({ socket, downstream, state });
    return this.#ownHttp2.accept(socket, downstream);
  }

  #onEstablished(connection: NodeConnection, socket: TLSSocket, downstream: Downstream): void {
    connection.http =
      socket.alpnProtocol === "h2" ? this.#acceptHttp2(socket, downstream) : this.#http1.accept(socket, downstream);
  }
}

function ignoreError(): void {
  // The socket closes as well, which is what is acted on.
}
