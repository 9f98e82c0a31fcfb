// Which fields may stand behind a body. A trailer is read after everything was decided, so whatever decides something (framing,
// routing, authentication, content) may not come that late: merged into the head by someone further on, it would decide anew
// (RFC 9110, 6.5.1).
import { noTrailers } from "./exchange.ts";

const forbidden = new Set([
  "authorization",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "max-forwards",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "www-authenticate",
]);

/** Names only the gateway may set (proxy/request-head.ts), and pseudo headers. */
const forbiddenPrefixes = [":", "if-", "x-forwarded-", "x-envoy-"] as const;

/** The fields of `raw` (flat) that may be passed on, names in lower case. */
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
