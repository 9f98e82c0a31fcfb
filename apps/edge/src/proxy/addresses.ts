// Which client addresses are inside: Envoy trusts their x-request-id and marks their requests x-envoy-internal.
import { BlockList, isIPv6 } from "node:net";

const internal = new BlockList();
for (const [network, prefix] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["127.0.0.0", 8],
] as const) {
  internal.addSubnet(network, prefix, "ipv4");
}
internal.addSubnet("fc00::", 7, "ipv6");
internal.addAddress("::1", "ipv6");

/** What a request's head says of a client that no proxy before us speaks for. */
export interface ClientLines {
  /** Envoy's rule: who is inside is trusted with its request id. */
  readonly isInternal: boolean;
  /** Lines of the request head, complete: who it is, how it came, and whether it is inside. */
  readonly http: string;
  readonly https: string;
}

// Clients come back: the lines of an address are kept. Emptied when full, so that an attacker with many addresses costs
// a look-up each and never memory.
const known = new Map<string, ClientLines>();
const maxKnown = 4096;

/** RFC 1918, unique local and loopback addresses are inside. `::ffff:10.0.0.1` counts as 10.0.0.1. */
export function clientLinesOf(address: string): ClientLines {
  return known.get(address) ?? remember(address);
}

/** Of a client behind another proxy, whose address is outside whatever it is. */
export function externalLine(address: string): string {
  return `x-envoy-external-address: ${address}\r\n`;
}

function remember(address: string): ClientLines {
  const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
  const isInternal = internal.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
  const side = isInternal ? "x-envoy-internal: true\r\n" : externalLine(address);
  const linesOf = (scheme: string) => `x-forwarded-for: ${address}\r\nx-forwarded-proto: ${scheme}\r\n${side}`;
  const lines = { isInternal, http: linesOf("http"), https: linesOf("https") };
  if (known.size >= maxKnown) known.clear();
  known.set(address, lines);
  return lines;
}
