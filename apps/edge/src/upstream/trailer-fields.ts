// Which fields may stand in trailers (RFC 9110 6.5.1). A recipient may merge trailers into the head, so one that frames, routes,
// authenticates or says how to read the content would let the tail of a message rewrite what its head has already decided.

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
  "x-forwarded-client-cert",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
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
  "if-match",
  "if-modified-since",
  "if-none-match",
  "if-range",
  "if-unmodified-since",
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

/** The fields of flat `trailers` (names in lower case) that may travel on. */
export function allowedTrailers(trailers: readonly string[]): readonly string[] {
  if (trailers.length === 0) return trailers;
  const kept: string[] = [];
  for (let i = 0; i < trailers.length; i += 2) {
    const name = trailers[i] ?? "";
    if (forbidden.has(name) || name.startsWith(":") || name.startsWith("x-envoy-")) continue;
    kept.push(name, trailers[i + 1] ?? "");
  }
  return kept;
}
