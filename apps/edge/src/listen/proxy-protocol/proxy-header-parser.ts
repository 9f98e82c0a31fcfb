// Reads a PROXY protocol header, version 1 (text) or 2 (binary), off the first bytes of a connection. Pure: bytes in, result out;
// strict, because whoever can make two readers disagree about the header chooses the client's address. The writer is
// exchange/proxy-header.ts. Specification: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt
import { isIPv4, isIPv6, SocketAddress } from "node:net";
import { type ProxyAddress, proxySignature } from "../../exchange/proxy-header.ts";

/** Who the sender says the connection is from, and where it was going. */
export interface ProxiedAddresses {
  readonly source: ProxyAddress;
  readonly destination: ProxyAddress;
}

/** `proxy_protocol_missing`: the connection begins with something else. `proxy_protocol_invalid`: it begins like a header. */
export type ProxyHeaderFault = "proxy_protocol_missing" | "proxy_protocol_invalid";

export type ProxyHeaderResult =
  | {
      readonly kind: "complete";
      /** Bytes of the header; what follows belongs to the connection. */
      readonly byteLength: number;
      /** Null: the sender speaks for itself (LOCAL, UNKNOWN, UNSPEC, UNIX), the connection's own addresses count. */
      readonly addresses: ProxiedAddresses | null;
    }
  /** All fine so far: ask again with more bytes. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "refused"; readonly reason: ProxyHeaderFault };

const textSignature = Buffer.from("PROXY ", "latin1");
/** With CR and LF, as the specification has it: room for two IPv6 addresses at their longest. */
const maxTextBytes = 107;
const carriageReturn = 13;
const lineFeed = 10;

const prefixBytes = 16;
/** After the prefix: the addresses and what else the sender wants to tell (TLVs). Bounds what a stranger can make us hold. */
const maxBlockBytes = 8192;
const commands = { local: 0, proxy: 1 } as const;
/** Bytes of address that each family and transport begins its block with. Datagrams do not arrive on connections. */
const addressBytes = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x21, 36],
  [0x31, 216],
]);

const incomplete: ProxyHeaderResult = { kind: "incomplete" };
const missing: ProxyHeaderResult = { kind: "refused", reason: "proxy_protocol_missing" };
const invalid: ProxyHeaderResult = { kind: "refused", reason: "proxy_protocol_invalid" };

/**
 * Parses everything received so far on a connection.
 *
 * @param bytes from the first byte on; called again with a longer run after `incomplete`
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeaderResult {
  if (agrees(bytes, textSignature)) return bytes.length < textSignature.length ? incomplete : parseText(bytes);
  if (agrees(bytes, proxySignature)) return bytes.length < proxySignature.length ? incomplete : parseBinary(bytes);
  return missing;
}

/** Whether as much as there is of `bytes` is the signature. */
function agrees(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.compare(signature, 0, length, 0, length) === 0;
}

function parseText(bytes: Buffer): ProxyHeaderResult {
  const line = bytes.subarray(0, maxTextBytes);
  const end = line.indexOf(carriageReturn);
  if (end < 0) return line.length < maxTextBytes ? incomplete : invalid;
  if (end === maxTextBytes - 1) return invalid;
  if (end + 1 === line.length) return incomplete;
  if (line[end + 1] !== lineFeed) return invalid;
  const fields = line.toString("latin1", textSignature.length, end).split(" ");
  // What else an UNKNOWN line holds is to be ignored.
  const addresses = fields[0] === "UNKNOWN" ? null : readFields(fields);
  return addresses === undefined ? invalid : { kind: "complete", byteLength: end + 2, addresses };
}

/** Undefined: not a header. */
function readFields(fields: readonly string[]): ProxiedAddresses | undefined {
  const [family = "", from = "", to = "", fromPort = "", toPort = ""] = fields;
  if (fields.length !== 5 || !isPort(fromPort) || !isPort(toPort)) return undefined;
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isPlainIpv6 : null;
  if (isAddress === null || !isAddress(from) || !isAddress(to)) return undefined;
  return {
    source: { address: canonicalAddress(from), port: Number(fromPort) },
    destination: { address: canonicalAddress(to), port: Number(toPort) },
  };
}

const decimal = /^(?:0|[1-9][0-9]{0,4})$/;

function isPort(text: string): boolean {
  return decimal.test(text) && Number(text) <= 65_535;
}

function isPlainIpv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%");
}

function parseBinary(bytes: Buffer): ProxyHeaderResult {
  const [versionAndCommand, family] = [bytes[12], bytes[13]];
  if (versionAndCommand === undefined) return incomplete;
  const command = versionAndCommand & 15;
  if (versionAndCommand >> 4 !== 2 || (command !== commands.local && command !== commands.proxy)) return invalid;
  if (family === undefined) return incomplete;
  // LOCAL: the sender checks our health; the specification has us ignore the family it names.
  const wanted = command === commands.local ? 0 : addressBytes.get(family);
  if (wanted === undefined) return invalid;
  if (bytes.length < prefixBytes) return incomplete;
  const blockBytes = bytes.readUInt16BE(14);
  if (blockBytes < wanted || blockBytes > maxBlockBytes) return invalid;
  const byteLength = prefixBytes + blockBytes;
  if (bytes.length < byteLength) return incomplete;
  return { kind: "complete", byteLength, addresses: readBlock(bytes.subarray(prefixBytes), wanted) };
}

function readBlock(block: Buffer, addressesLength: number): ProxiedAddresses | null {
  if (addressesLength !== 12 && addressesLength !== 36) return null;
  const size = addressesLength === 12 ? 4 : 16;
  const address = (at: number): string =>
    size === 4 ? block.subarray(at, at + size).join(".") : canonicalAddress(ipv6Text(block.subarray(at, at + size)));
  return {
    source: { address: address(0), port: block.readUInt16BE(2 * size) },
    destination: { address: address(size), port: block.readUInt16BE(2 * size + 2) },
  };
}

function ipv6Text(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(2 * group).toString(16)).join(":");
}

/** One spelling an address, as sockets report it: logs and the rule for internal addresses compare text. */
function canonicalAddress(address: string): string {
  if (isIPv4(address)) return address;
  const { address: short } = new SocketAddress({ address, family: "ipv6" });
  return short.startsWith("::ffff:") && short.includes(".") ? short.slice(7) : short;
}
