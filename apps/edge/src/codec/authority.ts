// What may stand in Host and `:authority`: one rule for both engines.
import { isIPv6 } from "node:net";

const maxPort = 65_535;

/**
 * True for `host`, `host:port`, `[v6]` and `[v6]:port` with hosts of letters, digits, `.`, `-` and `_`. Everything else is refused:
 * user names, commas, paths and impossible ports are what one hop reads one way and the next another.
 */
export function isAuthority(authority: string): boolean {
  const hostEnd = authority.startsWith("[") ? endOfAddress(authority) : endOfName(authority);
  if (hostEnd <= 0) return false;
  if (hostEnd === authority.length) return true;
  return authority.charCodeAt(hostEnd) === 58 && isPort(authority, hostEnd + 1);
}

function endOfName(authority: string): number {
  let at = 0;
  while (at < authority.length && isNameCharacter(authority.charCodeAt(at))) at++;
  return at;
}

/** Past the closing bracket, or -1. A zone (`%eth0`) names an interface of the client's machine and is refused. */
function endOfAddress(authority: string): number {
  const close = authority.indexOf("]");
  const address = authority.slice(1, close);
  return isIPv6(address) && !address.includes("%") ? close + 1 : -1;
}

function isPort(authority: string, from: number): boolean {
  let port = 0;
  for (let i = from; i < authority.length; i++) {
    const code = authority.charCodeAt(i);
    if (!isDigit(code)) return false;
    port = port * 10 + code - 48;
  }
  return authority.length > from && authority.length - from <= 5 && port <= maxPort;
}

function isNameCharacter(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 97 && lower <= 122) || isDigit(code) || code === 45 || code === 46 || code === 95;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}
