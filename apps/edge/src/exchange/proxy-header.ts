// The PROXY protocol header (haproxy.org/download/2.9/doc/proxy-protocol.txt): tells the receiver of a connection which client stands
// behind it. Written before the connection's first byte, also before TLS.
import { isIPv4, isIPv6 } from "node:net";

export interface ProxyAddress {
  readonly address: string;
  readonly port: number;
}

const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
const version2Proxy = 0x21;
const tcpOverIpv4 = 0x11;
const tcpOverIpv6 = 0x21;

/**
 * The bytes of a header. Addresses that are no pair of one family (a client without address) become `UNKNOWN` in version 1 and
 * `UNSPEC` in version 2, which receivers answer with the connection's own addresses.
 */
export function encodeProxyHeader(version: "V1" | "V2", source: ProxyAddress, destination: ProxyAddress): Uint8Array {
  const from = plainAddress(source.address);
  const to = plainAddress(destination.address);
  const family = isIPv4(from) && isIPv4(to) ? 4 : isIPv6(from) && isIPv6(to) ? 6 : 0;
  if (version === "V1") {
    const text =
      family === 0 ? "PROXY UNKNOWN\r\n" : `PROXY TCP${family} ${from} ${to} ${source.port} ${destination.port}\r\n`;
    return Buffer.from(text, "latin1");
  }
  if (family === 0) return Buffer.concat([signature, Buffer.from([version2Proxy, 0, 0, 0])]);
  const addresses = Buffer.concat([addressBytes(from), addressBytes(to)]);
  const block = Buffer.alloc(4 + addresses.length + 4);
  block[0] = version2Proxy;
  block[1] = family === 4 ? tcpOverIpv4 : tcpOverIpv6;
  block.writeUInt16BE(addresses.length + 4, 2);
  block.set(addresses, 4);
  block.writeUInt16BE(source.port, 4 + addresses.length);
  block.writeUInt16BE(destination.port, 6 + addresses.length);
  return Buffer.concat([signature, block]);
}

/** `::ffff:10.0.0.1`, as a dual-stack socket names an IPv4 client, is 10.0.0.1. A zone is of no meaning elsewhere. */
function plainAddress(address: string): string {
  const withoutZone = address.replace(/%.*$/, "");
  const mapped = withoutZone.toLowerCase().startsWith("::ffff:") ? withoutZone.slice(7) : "";
  return isIPv4(mapped) ? mapped : withoutZone;
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail = ""] = withHexTail(address).split("::");
  const left = groupsOf(head);
  const right = groupsOf(tail);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  const groups = [...left, ...zeros, ...right];
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** `64:ff9b::1.2.3.4` → `64:ff9b::102:304`. */
function withHexTail(address: string): string {
  const colon = address.lastIndexOf(":");
  const last = address.slice(colon + 1);
  if (!isIPv4(last)) return address;
  const bytes = last.split(".").map(Number);
  const group = (index: number): string => (((bytes[index] ?? 0) << 8) | (bytes[index + 1] ?? 0)).toString(16);
  return `${address.slice(0, colon + 1)}${group(0)}:${group(2)}`;
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
}
