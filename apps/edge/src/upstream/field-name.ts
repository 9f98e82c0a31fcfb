// Header names as responses carry them: validated, lower-cased, interned, and sorted by what the client does with them.
import { isTokenCode } from "../codec/char-class.ts";

/** What a field means to the client. `hopByHop` ends here: it describes this connection and must not travel on (RFC 9110 7.6.1). */
export type FieldRole = "endToEnd" | "hopByHop" | "connection" | "contentLength" | "transferEncoding";

export interface FieldName {
  /** Lower case. */
  readonly name: string;
  readonly role: FieldRole;
}

/** Names seen in nearly every response. The rest is validated and lower-cased each time, so upstreams cannot grow the table. */
const commonNames = [
  "Accept-Ranges",
  "Access-Control-Allow-Credentials",
  "Access-Control-Allow-Headers",
  "Access-Control-Allow-Methods",
  "Access-Control-Allow-Origin",
  "Access-Control-Expose-Headers",
  "Age",
  "Cache-Control",
  "Content-Disposition",
  "Content-Encoding",
  "Content-Language",
  "Content-Range",
  "Content-Security-Policy",
  "Content-Type",
  "Date",
  "ETag",
  "Expires",
  "Last-Modified",
  "Link",
  "Location",
  "Pragma",
  "Referrer-Policy",
  "Retry-After",
  "Server",
  "Set-Cookie",
  "Strict-Transport-Security",
  "Vary",
  "Via",
  "WWW-Authenticate",
  "X-Content-Type-Options",
  "X-Frame-Options",
  "X-Powered-By",
  "X-Request-Id",
  "X-XSS-Protection",
];

const roles: Readonly<Record<string, FieldRole>> = {
  Connection: "connection",
  "Content-Length": "contentLength",
  "Transfer-Encoding": "transferEncoding",
  "Keep-Alive": "hopByHop",
  "Proxy-Connection": "hopByHop",
  TE: "hopByHop",
  Trailer: "hopByHop",
  Upgrade: "hopByHop",
};

const knownNames = new Map<string, FieldName>();
for (const spelling of [...commonNames, ...Object.keys(roles)]) {
  const field: FieldName = { name: spelling.toLowerCase(), role: roles[spelling] ?? "endToEnd" };
  knownNames.set(spelling, field).set(field.name, field);
}

/** The field for a name as sent, or null when it is not a token (empty, blank before the colon, folded line, ...). */
export function fieldNameOf(spelling: string): FieldName | null {
  const known = knownNames.get(spelling);
  if (known !== undefined) return known;
  if (spelling.length === 0) return null;
  for (let i = 0; i < spelling.length; i++) {
    if (isTokenCode[spelling.charCodeAt(i)] !== 1) return null;
  }
  const name = spelling.toLowerCase();
  return knownNames.get(name) ?? { name, role: "endToEnd" };
}
