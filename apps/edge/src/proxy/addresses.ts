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

// Clients come back: the answer for an address is kept. Emptied when full, so that an attacker with many addresses costs
// a look-up each and never memory.
const known = new Map<string, boolean>();
const maxKnown = 4096;

/** True for RFC 1918, unique local and loopback addresses. `::ffff:10.0.0.1` counts as 10.0.0.1. */
export function isInternalAddress(address: string): boolean {
  const cached = known.get(address);
  if (cached !== undefined) return cached;
  const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
  const answer = internal.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
  if (known.size >= maxKnown) known.clear();
  known.set(address, answer);
  return answer;
}
