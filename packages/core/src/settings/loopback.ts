// The API and the admin port have no authentication in this release: on a loopback address nobody but this machine may reach them, not
// even a web page through a browser on it.
import { BlockList, isIP } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** True for `localhost`, 127.0.0.0/8 and ::1. Other names could resolve to anything. */
export function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  const family = isIP(host);
  return family !== 0 && loopback.check(host, family === 4 ? "ipv4" : "ipv6");
}

/**
 * True when the Host header names this machine by a loopback name. A web page whose own name was made to resolve to 127.0.0.1 (DNS
 * rebinding) is same-origin with the API, but sends its own name.
 */
export function isLoopbackAuthority(authority: string | undefined): boolean {
  if (authority === undefined) return false;
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(authority) ?? [];
  return isLoopback((bracketed ?? plain ?? "").toLowerCase());
}
