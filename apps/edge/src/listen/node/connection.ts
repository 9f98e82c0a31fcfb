// One accepted connection from accept to close, whatever is spoken on it.
import type { Socket } from "node:net";
import type { Downstream } from "../../exchange/downstream.ts";
import type { ProxiedAddresses } from "../proxy-protocol/proxy-header-parser.ts";

/** The HTTP side of a connection. */
export interface HttpConnection {
  /** Closes as soon as no exchange is under way. */
  drain(): void;
}

/** The addresses of a connection; kept because a closed socket does not tell them any more. */
export type ConnectionAddresses = Pick<Downstream, "remoteAddress" | "remotePort" | "localAddress" | "localPort">;

export class NodeConnection {
  readonly raw: Socket;
  /** Of the socket itself. */
  readonly socketAddresses: ConnectionAddresses;
  /** Those the client is known by: of the socket, or what its PROXY protocol header says. */
  addresses: ConnectionAddresses;
  /** Null until HTTP can be spoken: on TLS the handshake comes first. */
  http: HttpConnection | null = null;

  constructor(raw: Socket, addresses: ConnectionAddresses) {
    this.raw = raw;
    this.socketAddresses = addresses;
    this.addresses = addresses;
  }
}

/** Null when the client has gone already. */
export function addressesOf(socket: Socket): ConnectionAddresses | null {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || remotePort === undefined) return null;
  return {
    remoteAddress: plainAddress(remoteAddress),
    remotePort,
    localAddress: plainAddress(localAddress ?? ""),
    localPort: localPort ?? 0,
  };
}

export function addressesOfHeader({ source, destination }: ProxiedAddresses): ConnectionAddresses {
  return {
    remoteAddress: source.address,
    remotePort: source.port,
    localAddress: destination.address,
    localPort: destination.port,
  };
}

/** Distinguishes every connection that is open on one listener. */
export function connectionKey({ remoteAddress, remotePort, localAddress }: ConnectionAddresses): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}

/** A socket bound to `::` reports IPv4 clients as `::ffff:192.0.2.1`; logs and headers want the address that the client has. */
function plainAddress(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
