// Where edges of other machines connect: mutual TLS 1.3, and nothing of the protocol is read before the peer's certificate is verified.
//
// Who has not shown one is a stranger, and strangers are few, short-lived and counted by address: they can keep neither the edges out nor
// this process busy.
import { constants, type X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type SecureContextOptions,
  type Server as TlsServer,
  type TLSSocket,
} from "node:tls";
import { type MachineCredential, MachineCredentials } from "@sluice/core/match";
import { parseAddress, type Settings } from "@sluice/core/settings";

export type PublishSettings = NonNullable<Settings["ctrl"]["publish"]>;

export interface RemoteLimits {
  /** Connections in their handshake, of all addresses and of one. */
  readonly maxStrangers: number;
  readonly maxStrangersOfAddress: number;
  readonly handshakeTimeoutMs: number;
  /** How often certificates are looked at without a connection that would need them. */
  readonly lookEveryMs: number;
}

export const defaultRemoteLimits: RemoteLimits = {
  maxStrangers: 256,
  maxStrangersOfAddress: 16,
  handshakeTimeoutMs: 10_000,
  lookEveryMs: 10_000,
};

/** A peer whose certificate was verified. */
export interface VerifiedPeer {
  readonly socket: TLSSocket;
  /** `10.0.0.7:41234`. */
  readonly address: string;
  readonly certificate: X509Certificate;
}

export interface RemoteEvents {
  onPeer(peer: VerifiedPeer): void;
  /** A connection that ended before it was known who it is. */
  onStranger(address: string, reason: string): void;
  /** The files were changed and are in use, or cannot be used and those before them are. Null: all is well again. */
  onCredentials(problem: string | null): void;
  /** An authority is not trusted any more: who was let in by it has to show a certificate anew. */
  onAuthorityWithdrawn(): void;
}

export class RemoteListener {
  readonly #settings: PublishSettings;
  readonly #events: RemoteEvents;
  readonly #limits: RemoteLimits;
  readonly #credentials: MachineCredentials;
  readonly #tcp: TcpServer;
  readonly #tls: TlsServer;
  /** By address and port. */
  readonly #strangers = new Map<string, Socket>();
  #problem: string | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** @throws Error when the certificates cannot be used: without them nobody could be let in */
  constructor(settings: PublishSettings, events: RemoteEvents, limits: RemoteLimits = defaultRemoteLimits) {
    this.#settings = settings;
    this.#events = events;
    this.#limits = limits;
    const { certificate, privateKey, clientCa } = settings.tls;
    const paths = { certificate, privateKey, authorities: clientCa };
    this.#credentials = new MachineCredentials(paths, (path) => readFileSync(path, "utf8"));
    const { problem } = this.#credentials.refresh(Date.now());
    const { current } = this.#credentials;
    if (current === null) throw new Error(`ctrl.publish.tls: ${problem ?? "nothing was read"}`);
    this.#tls = createTlsServer({
      ...contextOptions(current),
      requestCert: true,
      // Said out loud: NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment must not open this port.
      rejectUnauthorized: true,
      handshakeTimeout: limits.handshakeTimeoutMs,
    });
    this.#tls.on("secureConnection", (socket) => this.#onSecure(socket));
    this.#tls.on("tlsClientError", (error, socket) => this.#onHandshakeFailed(error, socket));
    this.#tcp = createTcpServer((socket) => this.#onConnection(socket));
  }

  /** When this ctrl's certificate ends. */
  get notAfterMs(): number | null {
    return this.#credentials.current?.notAfterMs ?? null;
  }

  /** The address bound, as `host:port`. @throws Error when it cannot be had */
  async listen(): Promise<string> {
    const { host, port } = parseAddress(this.#settings.address);
    await new Promise<void>((resolve, reject) => {
      this.#tcp.once("error", (error) => reject(new Error(`ctrl.publish.address: ${error.message}`)));
      this.#tcp.listen(port, host, resolve);
    });
    this.#timer = setInterval(() => this.#refresh(), this.#limits.lookEveryMs);
    const bound = this.#tcp.address() as AddressInfo;
    return `${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;
  }

  /** Stops listening; verified peers are their owner's. */
  async close(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    const closed = new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    for (const socket of this.#strangers.values()) socket.destroy();
    await closed;
  }

  #onConnection(socket: Socket): void {
    const address = addressOf(socket);
    socket.on("error", () => {});
    const ofAddress = [...this.#strangers.values()].filter((one) => one.remoteAddress === socket.remoteAddress).length;
    if (this.#strangers.size >= this.#limits.maxStrangers || ofAddress >= this.#limits.maxStrangersOfAddress) {
      socket.destroy();
      return this.#events.onStranger(address, "too many connections that have not shown a certificate");
    }
    this.#strangers.set(address, socket);
    socket.once("close", () => this.#strangers.delete(address));
    // Before every handshake, so that a rotation needs neither an event nor a moment that could be missed.
    this.#refresh();
    this.#tls.emit("connection", socket);
  }

  #onSecure(socket: TLSSocket): void {
    const address = addressOf(socket);
    const certificate = socket.getPeerX509Certificate();
    // A resumed handshake shows none; there are no tickets, so there is no such handshake.
    if (!socket.authorized || certificate === undefined) {
      socket.destroy();
      return this.#events.onStranger(address, "no certificate");
    }
    this.#strangers.delete(address);
    this.#events.onPeer({ socket, address, certificate });
  }

  #onHandshakeFailed(error: NodeJS.ErrnoException, socket: TLSSocket): void {
    // OpenSSL's word on the certificate, where it came to that; Node then only says that the connection is gone.
    const { authorizationError } = socket as { readonly authorizationError?: Error | string | null };
    const reason = authorizationError === undefined || authorizationError === null ? error.code : authorizationError;
    this.#events.onStranger(addressOf(socket), String(reason ?? error.message));
    socket.destroy();
  }

  #refresh(): void {
    const { isChanged, isAuthorityWithdrawn, problem } = this.#credentials.refresh(Date.now());
    const { current } = this.#credentials;
    if (isChanged && current !== null) this.#tls.setSecureContext(contextOptions(current));
    if (isChanged || problem !== this.#problem) this.#events.onCredentials(problem);
    this.#problem = problem;
    if (isAuthorityWithdrawn) this.#events.onAuthorityWithdrawn();
  }
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? "unknown"}:${remotePort ?? 0}`;
}

function contextOptions({ certificate, privateKey, authorities }: MachineCredential): SecureContextOptions {
  return {
    cert: certificate,
    key: privateKey.reveal(),
    ca: [...authorities],
    minVersion: "TLSv1.3",
    // No resumption: every connection shows its certificate, and it is verified as of now.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
