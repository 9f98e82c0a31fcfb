// The cookie that keeps a client with its endpoint: read from the request, and made where there is none, in Envoy's form, so that clients
// keep their endpoint's cookie when they come from there.
import { randomBytes } from "node:crypto";
import type { HashKey } from "@sluice/core/model";
import type { BalancedRequest } from "./balanced-request.ts";
import { Hash64, xxHash64 } from "./xx-hash-64.ts";

export type CookieKey = Extract<HashKey, { readonly kind: "cookie" }>;

const hash = new Hash64();

/** The value the client sent, else the one made now, which the response will set; null when none is to be made. */
export function affinityCookie(request: BalancedRequest, key: CookieKey): string | null {
  const sent = cookieValue(request.header("cookie"), key.name);
  if (sent !== "") return sent;
  if (key.ttlMs === null) return null;
  // The second endpoint of a retried request is chosen by the same cookie as the first.
  const made = valueMadeBefore(request.setCookie, key.name);
  if (made !== "") return made;
  const value = newValue(request.downstream);
  request.setCookie = setCookieHeader(key, value);
  return value;
}

/**
 * The value of a cookie without its quotes, empty when it is absent or empty. Cookie headers that were sent apart may be joined by `,`
 * here, which no cookie's value holds (RFC 6265, 4.1.1).
 */
export function cookieValue(header: string | null, name: string): string {
  if (header === null) return "";
  for (let start = 0; start < header.length;) {
    while (isSeparator(header.charCodeAt(start))) start++;
    let end = start;
    while (end < header.length && header[end] !== ";" && header[end] !== ",") end++;
    if (header.startsWith(name, start) && header[start + name.length] === "=") {
      const value = header.slice(start + name.length + 1, end).trimEnd();
      return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
    start = end;
  }
  return "";
}

/** Space, tab, `,` and `;`. */
function isSeparator(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x2c || code === 0x3b;
}

/** `name="value"; Max-Age=60; Path=/; SameSite=Strict; HttpOnly` */
export function setCookieHeader({ name, path, ttlMs, attributes }: CookieKey, value: string): string {
  const seconds = Math.floor((ttlMs ?? 0) / 1000);
  const parts = [`${name}="${value}"`];
  if (seconds > 0) parts.push(`Max-Age=${seconds}`);
  if (path !== "") parts.push(`Path=${path}`);
  return [...parts, ...attributes, "HttpOnly"].join("; ");
}

function valueMadeBefore(setCookie: string, name: string): string {
  if (!setCookie.startsWith(`${name}="`)) return "";
  return setCookie.slice(name.length + 2, setCookie.indexOf('"', name.length + 2));
}

/**
 * Of the connection, as in Envoy: requests that a client has under way at once, before it got its cookie, all get the same. Where the
 * engine does not tell the client's port (uWebSockets.js) it is random: everybody behind one address would share an endpoint.
 */
function newValue({ remoteAddress, remotePort, localAddress, localPort }: BalancedRequest["downstream"]): string {
  if (remotePort === 0) return randomBytes(8).toString("hex");
  xxHash64(`${remoteAddress}:${remotePort}${localAddress}:${localPort}`, hash);
  return hash.toHex();
}
