// Header names as requests carry them: checked, in lower case, and the usual ones without making a string.
import { isTokenCode } from "../char-class.ts";

/** Names seen in nearly every request. The rest is checked and lower-cased each time, so that clients cannot grow the table. */
const commonNames = [
  "Accept",
  "Accept-Encoding",
  "Accept-Language",
  "Authorization",
  "Cache-Control",
  "Connection",
  "Content-Length",
  "Content-Type",
  "Cookie",
  "Expect",
  "Host",
  "If-Match",
  "If-Modified-Since",
  "If-None-Match",
  "Origin",
  "Pragma",
  "Range",
  "Referer",
  "Sec-Fetch-Dest",
  "Sec-Fetch-Mode",
  "Sec-Fetch-Site",
  "Sec-WebSocket-Extensions",
  "Sec-WebSocket-Key",
  "Sec-WebSocket-Version",
  "TE",
  "Traceparent",
  "Transfer-Encoding",
  "Upgrade",
  "Upgrade-Insecure-Requests",
  "User-Agent",
  "Via",
  "X-Forwarded-For",
  "X-Forwarded-Proto",
  "X-Request-Id",
];

const knownNames = new Map<string, string>();
for (const spelling of commonNames)
  knownNames.set(spelling, spelling.toLowerCase()).set(spelling.toLowerCase(), spelling.toLowerCase());

/** The name in lower case, or null when it is no token (empty, a blank before the colon, a folded line, ...). */
export function readRequestFieldName(spelling: string): string | null {
  const known = knownNames.get(spelling);
  if (known !== undefined) return known;
  if (spelling.length === 0) return null;
  for (let i = 0; i < spelling.length; i++) {
    if (isTokenCode[spelling.charCodeAt(i)] !== 1) return null;
  }
  return spelling.toLowerCase();
}
