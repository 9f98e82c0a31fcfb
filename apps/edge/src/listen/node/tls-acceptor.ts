// From an accepted connection to a client that may speak: reads the ClientHello, chooses the filter chain, lets that chain's own TLS
// server shake hands and checks the client's certificate. A failure on the way closes the connection and is reported once.
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { selectFilterChain } from "@sluice/core/match";
import type { Downstream } from "../../exchange/downstream.ts";
import { authorizationReason, checkClient } from "../../tls/client-check.ts";
import type { ClientHello } from "../../tls/client-hello.ts";
import { parseClientHello } from "../../tls/client-hello.ts";
import { isServerName } from "../../tls/server-name.ts";
import { ChainServers } from "./chain-servers.ts";
import type { ChainServer } from "./chain-servers.ts";
import { addressesOf, connectionKey } from "./connection.ts";
import type { NodeConnection } from "./connection.ts";
import { isTlsChain } from "./listener-state.ts";
import type { ListenerState } from "./listener-state.ts";

/** Called for a connection whose handshake is done and whose client is accepted. */
export type OnEstablished = (connection: NodeConnection, socket: TLSSocket, downstream: Downstream) => void;

interface Handshake {
  readonly connection: NodeConnection;
  readonly sni: string | null;
}

/** What a connection was let in as, for whoever forwards its bytes. */
export interface Admission {
  readonly filterChain: string;
  readonly sni: string | null;
  /** As `NetworkDownstream.trust`. */
  readonly trust: string | null;
}

/**
 * Called for a connection of a chain that forwards. `socket` is what its bytes are read from: where TLS passes through the accepted one,
 * with what was read of it put back; else the one that decrypts, whose client is accepted.
 */
export type OnForward = (connection: NodeConnection, socket: Socket, admission: Admission) => void;

export interface TlsAcceptorEvents {
  readonly onEstablished: OnEstablished;
  readonly onForward: OnForward;
}

export class TlsAcceptor {
  readonly #state: ListenerState;
  readonly #onEstablished: OnEstablished;
  readonly #onForward: OnForward;
  readonly #chainServers: ChainServers;
  /** Node does not tell from which connection a TLS socket came; the addresses do. */
  readonly #handshakes = new Map<string, Handshake>();

  constructor(state: ListenerState, { onEstablished, onForward }: TlsAcceptorEvents) {
    this.#state = state;
    this.#onEstablished = onEstablished;
    this.#onForward = onForward;
    this.#chainServers = new ChainServers(state, {
      onSecure: (socket, chainServer) => this.#onSecure(socket, chainServer),
      onTlsError: (error, socket, chainServer) => {
        state.handshakeFailed(chainServer.chain.name, tlsErrorReason(error, socket));
        socket.destroy();
      },
    });
  }

  /** Half of the handshake's time is for the ClientHello, the other half for what follows (see ChainServers). */
  accept(connection: NodeConnection): void {
    const { raw } = connection;
    let received: Buffer = Buffer.alloc(0);
    const stop = (): void => {
      clearTimeout(timer);
      raw.off("data", onData).off("close", onClose);
    };
    const refuse = (reason: string): void => {
      stop();
      this.#refuse(connection, null, reason);
    };
    const onData = (chunk: Buffer): void => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const result = parseClientHello(received);
      if (result.kind === "incomplete") return;
      if (result.kind === "refused") return refuse(result.reason);
      stop();
      this.#handOver(connection, result.hello, received);
    };
    const onClose = (): void => {
      stop();
      // Load balancers ask whether a port is open by connecting and saying nothing: that is no failed handshake.
      if (received.length > 0) this.#state.handshakeFailed(null, "disconnected");
    };
    const timer = setTimeout(refuse, Math.ceil(this.#state.context.limits.handshakeTimeoutMs / 2), "handshake_timeout");
    raw.on("data", onData).on("close", onClose);
  }

  #handOver(connection: NodeConnection, hello: ClientHello, received: Buffer): void {
    const { serverName: sni } = hello;
    if (sni !== null && !isServerName(sni)) return this.#refuse(connection, null, "bad_server_name");
    const chain = selectFilterChain(this.#state.chainIndex, sni);
    if (chain === null) return this.#refuse(connection, null, "no_filter_chain");
    if (!isTlsChain(chain)) {
      if (chain.forward === null) return this.#refuse(connection, null, "no_filter_chain");
      connection.raw.pause().unshift(received);
      return this.#onForward(connection, connection.raw, { filterChain: chain.name, sni, trust: null });
    }
    const { server, reason } = this.#chainServers.get(chain);
    if (server === null) return this.#refuse(connection, chain.name, reason);

    const { raw } = connection;
    const key = connectionKey(connection.socketAddresses);
    this.#handshakes.set(key, { connection, sni });
    raw.once("close", () => {
      if (this.#handshakes.get(key)?.connection === connection) this.#handshakes.delete(key);
    });
    // The TLS server reads what is buffered first, then takes the socket's handle over.
    raw.pause();
    raw.unshift(received);
    server.emit("connection", raw);
  }

  #onSecure(socket: TLSSocket, { chain, trust }: ChainServer): void {
    // A client that asks for renegotiation is told of by an error which, unlike all others, leaves the socket open.
    socket.on("error", () => socket.destroy());
    const addresses = addressesOf(socket);
    const key = addresses === null ? "" : connectionKey(addresses);
    const handshake = this.#handshakes.get(key);
    if (handshake === undefined) {
      socket.destroy();
      return;
    }
    this.#handshakes.delete(key);
    const { connection, sni } = handshake;
    // TLS 1.2 clients could otherwise show another certificate in the middle of the connection.
    socket.disableRenegotiation();
    const verdict = checkClient(presentedBy(socket), chain.tls, trust);
    if (!verdict.ok) return this.#refuse(connection, chain.name, verdict.reason);
    if (chain.forward !== null) return this.#onForward(connection, socket, { filterChain: chain.name, sni, trust });
    this.#onEstablished(connection, socket, {
      listener: this.#state.name,
      filterChain: chain.name,
      trust,
      scheme: "https",
      ...connection.addresses,
      sni,
      peerCertificate: verdict.peer,
      tlsVersion: socket.getProtocol(),
    });
  }

  #refuse(connection: NodeConnection, filterChain: string | null, reason: string): void {
    connection.raw.destroy();
    this.#state.handshakeFailed(filterChain, reason);
  }
}

function presentedBy(socket: TLSSocket): Parameters<typeof checkClient>[0] {
  return {
    certificate: socket.getPeerX509Certificate(),
    isAuthorized: socket.authorized,
    authorizationError: authorizationErrorOf(socket),
  };
}

/** On servers a string, whatever the declared type says. */
function authorizationErrorOf(socket: TLSSocket): string | null {
  const error: unknown = socket.authorizationError;
  return typeof error === "string" ? error : null;
}

/** OpenSSL's and Node's names for what went wrong: short, stable and few enough for a metric label. */
function tlsErrorReason(error: Error & { code?: string }, socket: TLSSocket): string {
  const code = error.code ?? "";
  if (code === "ERR_TLS_HANDSHAKE_TIMEOUT") return "handshake_timeout";
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") return "client_certificate_missing";
  if (code.startsWith("ERR_SSL_")) return code.slice(8).toLowerCase();
  // Node reports a client it refused (`rejectUnauthorized`) as one that hung up.
  const authorizationError = authorizationErrorOf(socket);
  return authorizationError === null ? "disconnected" : authorizationReason(authorizationError);
}
