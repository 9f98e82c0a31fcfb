// Where the connections to an endpoint go: an address and port, or a Unix socket; of a LOGICAL_DNS host its addresses in turn.
import { isIPv6 } from "node:net";

/** What `net.connect` is told. */
export interface SocketAddress {
  /** `127.0.0.1:8000`, `[::1]:8000`, `unix:///path`: for logs and metrics. */
  readonly name: string;
  /** Empty for a Unix socket. */
  readonly host: string;
  readonly port: number;
  /** Of a Unix socket; begins with NUL when it is abstract. Null: TCP. */
  readonly path: string | null;
}

/** An endpoint's address as its pool sees it. */
export interface AddressSource {
  /** Of the endpoint: stays, whichever address is next. */
  readonly name: string;
  /** For the connection that is opened now. */
  next(): SocketAddress;
}

const unixScheme = "unix://";
/** `sun_path` of Linux with its closing NUL. What is longer would be cut off by libuv and lead to another socket. */
const maxPathBytes = 107;

export function isUnixAddress(address: string): boolean {
  return address.startsWith(unixScheme);
}

/** The socket of `unix:///path` or `unix://@abstract`; null when there can be none. */
export function parseUnixAddress(address: string): SocketAddress | null {
  const name = address.slice(unixScheme.length);
  const path = name.startsWith("@") ? `\0${name.slice(1)}` : name;
  if (path.length < 2 || Buffer.byteLength(path) > maxPathBytes || path.slice(1).includes("\0")) return null;
  return { name: address, host: "", port: 0, path };
}

export function tcpAddress(host: string, port: number): SocketAddress {
  return { name: isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`, host, port, path: null };
}

/** Always the same. */
export class FixedAddress implements AddressSource {
  readonly name: string;
  private readonly address: SocketAddress;

  constructor(address: SocketAddress) {
    this.name = address.name;
    this.address = address;
  }

  next(): SocketAddress {
    return this.address;
  }
}

/** The addresses of one host name, in turn. Those of open connections stay what they were. */
export class RotatingAddress implements AddressSource {
  readonly name: string;
  private addresses: readonly SocketAddress[];
  private turn: number;

  /** @param addresses at least one */
  constructor(name: string, addresses: readonly SocketAddress[]) {
    this.name = name;
    this.addresses = addresses;
    this.turn = 0;
  }

  replace(addresses: readonly SocketAddress[]): void {
    this.addresses = addresses;
  }

  next(): SocketAddress {
    const address = this.addresses[this.turn++ % this.addresses.length];
    if (address === undefined) throw new Error(`${this.name} has no address`);
    return address;
  }
}
