// Opens the socket to an endpoint: TCP, the PROXY header where the cluster sends one, TLS. It tells readiness, not connectedness:
// nothing of a request may be written before the upstream has proved who it is.
import { connect, isIP, type NetConnectOpts, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { SocketAddress } from "./socket-address.ts";
import type { TlsOrigination } from "./tls-origination.ts";

export interface ConnectTarget {
  readonly address: SocketAddress;
  readonly connectTimeoutMs: number;
  readonly tcpKeepaliveMs: number | null;
  /** Sent before anything else, also before TLS. */
  readonly preamble: Uint8Array | null;
  readonly tls: SecureTarget | null;
}

export interface SecureTarget {
  readonly origination: TlsOrigination;
  readonly serverName: string;
  /** Null: none is offered (raw bytes, whose protocol nobody knows). */
  readonly alpn: "h2" | "http/1.1" | null;
}

/** A cleartext socket; with `onread` it reads into the caller's buffer. It takes writes at once and sends them when connected. */
export function openPlain(target: ConnectTarget, onread: OnReadOpts | null): Socket {
  const socket = connect({
    ...connectOptions(target.address, target.tcpKeepaliveMs),
    ...(onread === null ? {} : { onread }),
  });
  if (target.preamble !== null) socket.write(target.preamble);
  return socket;
}

/**
 * A TLS socket. Write nothing before `secureConnect`, and nothing then unless `TlsOrigination.verify` returns null.
 * `connect` tells that TCP stands.
 */
export function openSecure(target: ConnectTarget, secure: SecureTarget): TLSSocket {
  return beginTls(openPlain(target, null), target, secure);
}

/** The same over a socket to the target that the caller has opened with `openPlain`: a PROXY header has to leave before the handshake. */
export function beginTls(below: Socket, target: ConnectTarget, secure: SecureTarget): TLSSocket {
  const { origination, serverName, alpn } = secure;
  const { acceptsUntrusted, context } = origination;
  const key = sessionKey(target, serverName);
  const kept = origination.keptSession(key);
  const options = {
    ...(context === null ? {} : { secureContext: context }),
    // RFC 6066, 3: addresses are not sent as server names.
    servername: isIP(serverName) === 0 ? serverName : "",
    ...(alpn === null ? {} : { ALPNProtocols: [alpn] }),
    rejectUnauthorized: !acceptsUntrusted,
    // The name is checked by `verify`, on resumed sessions as well.
    checkServerIdentity: () => undefined,
    ...(kept === undefined ? {} : { session: kept.session }),
  };
  const socket = connectTls({ socket: below, ...options });
  below.on("error", (error) => socket.destroy(error));
  origination.watchSessions(socket, key, kept);
  return socket;
}

function sessionKey({ address }: ConnectTarget, serverName: string): string {
  return `${address.name} ${serverName}`;
}

/** For `net.connect`. @param tcpKeepaliveMs null: the system's default */
export function connectOptions({ host, port, path }: SocketAddress, tcpKeepaliveMs: number | null): NetConnectOpts {
  if (path !== null) return { path };
  const keepAlive = tcpKeepaliveMs === null ? {} : { keepAlive: true, keepAliveInitialDelay: tcpKeepaliveMs };
  return { host, port, noDelay: true, ...keepAlive };
}

/** Our end as logs print it, `127.0.0.1:51234`; empty for a Unix socket, which has none. */
export function localAddressOf({ localAddress, localPort }: Socket): string {
  if (localAddress === undefined) return "";
  return localAddress.includes(":") ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`;
}
