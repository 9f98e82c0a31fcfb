// Writes PROXY protocol headers: what an upstream is told about the client whose bytes follow. Specification:
// https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt. The reader is listen/proxy-protocol/proxy-header-parser.ts.
import { isIPv4, isIPv6 } from "node:net";

export interface ProxyAddress {
  readonly address: string;
  readonly port: number;
}

/** The first twelve bytes of version 2; they can begin no line of text, no HTTP request and no TLS record. */
export const proxySignature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

const versionAndProxy = 0x21;
const tcp4 = 0x11;
const tcp6 = 0x21;

/**
 * The header to send before the first byte of a connection, also before TLS. Where one address is IPv4 and the other IPv6, both are
 * written as IPv6: a listener on `::` names itself so, and its IPv4 clients' addresses must not be lost. Without two IP addresses
 * it says that nothing is known (`UNKNOWN`, `UNSPEC`).
 *
 * @param source the client
 * @param destination where the client connected to
 */
export function encodeProxyHeader(version: "V1" | "V2", source: ProxyAddress, destination: ProxyAddress): Buffer {
  const from = { ...source, address: plainAddress(source.address) };
  const to = { ...destination, address: plainAddress(destination.address) };
  const family = familyOf(from.address, to.address);
  return version === "V1" ? encodeVersion1(family, from, to) : encodeVersion2(family, from, to);
}

type Family = "TCP4" | "TCP6" | "UNKNOWN";

function familyOf(source: string, destination: string): Family {
  if (isIPv4(source) && isIPv4(destination)) return "TCP4";
  const areAddresses = [source, destination].every((address) => isIPv4(address) || isIPv6(address));
  return areAddresses ? "TCP6" : "UNKNOWN";
}

function encodeVersion1(family: Family, source: ProxyAddress, destination: ProxyAddress): Buffer {
  if (family === "UNKNOWN") return Buffer.from("PROXY UNKNOWN\r\n", "latin1");
  const text = ({ address }: ProxyAddress): string =>
    family === "TCP6" && isIPv4(address) ? `::ffff:${address}` : address;
  const line = `PROXY ${family} ${text(source)} ${text(destination)} ${source.port} ${destination.port}\r\n`;
  return Buffer.from(line, "latin1");
}

function encodeVersion2(family: Family, source: ProxyAddress, destination: ProxyAddress): Buffer {
  if (family === "UNKNOWN") return Buffer.from([...proxySignature, versionAndProxy, 0, 0, 0]);
  const bytesOf = family === "TCP4" ? ipv4Bytes : ipv6Bytes;
  const addresses = [...bytesOf(source.address), ...bytesOf(destination.address)];
  const block = [...addresses, ...uint16(source.port), ...uint16(destination.port)];
  const code = family === "TCP4" ? tcp4 : tcp6;
  return Buffer.from([...proxySignature, versionAndProxy, code, ...uint16(block.length), ...block]);
}

function ipv4Bytes(address: string): number[] {
  return address.split(".").map(Number);
}

function ipv6Bytes(address: string): number[] {
  if (isIPv4(address)) return ipv6Bytes(`::ffff:${address}`);
  const [head = "", tail] = address.split("::");
  const front = groupBytes(head);
  const back = groupBytes(tail ?? "");
  const zeros = Array.from({ length: 16 - front.length - back.length }, () => 0);
  return [...front, ...zeros, ...back];
}

/** `2001:db8`, or with an IPv4 address in the last place. */
function groupBytes(text: string): number[] {
  if (text === "") return [];
  return text
    .split(":")
    .flatMap((group) => (group.includes(".") ? ipv4Bytes(group) : uint16(Number.parseInt(group, 16))));
}

/** `fe80::1%eth0`: the zone means something on this machine only. `::ffff:192.0.2.1` is an IPv4 client on a socket for both. */
function plainAddress(address: string): string {
  const percent = address.indexOf("%");
  const text = percent < 0 ? address : address.slice(0, percent);
  const mapped = text.toLowerCase().startsWith("::ffff:") ? text.slice(7) : "";
  return isIPv4(mapped) ? mapped : text;
}

function uint16(value: number): number[] {
  return [value >> 8, value & 255];
}
