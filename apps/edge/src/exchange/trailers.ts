// Which fields may stand in trailers (RFC 9110, 6.5.1). A recipient may merge trailers into the head, so one that frames, routes,
// authenticates or says how to read the content would let the tail of a message rewrite what its head has already decided.
import { noTrailers } from "./exchange.ts";

const forbidden = new Set([
  // Framing and this hop.
  "connection",
  "content-length",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  // Routing, and what only a gateway may say of a client.
  "host",
  "forwarded",
  // Control.
  "age",
  "cache-control",
  "expect",
  "expires",
  "location",
  "max-forwards",
  "pragma",
  "range",
  "retry-after",
  "vary",
  "warning",
  // Authentication.
  "authorization",
  "cookie",
  "proxy-authenticate",
  "proxy-authorization",
  "set-cookie",
  "www-authenticate",
  // How to read the content.
  "content-encoding",
  "content-range",
  "content-type",
]);

/** Pseudo headers, conditions, and names that only a gateway may set (proxy/request-head.ts). */
const forbiddenPrefixes = [":", "if-", "x-forwarded-", "x-envoy-"] as const;

/** The fields of flat `raw` that may travel on, names in lower case. */
export function allowedTrailers(raw: readonly string[]): readonly string[] {
  if (raw.length === 0) return noTrailers;
  const allowed: string[] = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? "").toLowerCase();
    if (forbidden.has(name) || forbiddenPrefixes.some((prefix) => name.startsWith(prefix))) continue;
    allowed.push(name, raw[i + 1] ?? "");
  }
  return allowed;
}
