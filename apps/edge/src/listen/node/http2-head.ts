// The head of an HTTP/2 request, from nghttp2's header list to what the proxy gets, or why it is refused. nghttp2 has already
// reset streams with malformed or misplaced pseudo headers, upper-case names and connection headers (RFC 9113, 8.2 and 8.3). Fields
// with characters that no field may hold it leaves out instead, and Node.js offers no way to hear of them.
import type { RequestHead } from "../../exchange/exchange.ts";
import type { FailureCode } from "../../exchange/failure.ts";
import { isAuthority } from "../../codec/authority.ts";
import { isKnownExpectation } from "../../codec/expectation.ts";

export interface Http2Head {
  readonly head: RequestHead;
  /** The client waits for 100 before it sends the body. */
  readonly awaitsContinue: boolean;
}

interface Scan {
  readonly headers: string[];
  method: string;
  path: string;
  /** `:protocol`; empty without. */
  protocol: string;
  authority: string | null;
  host: string | null;
  awaitsContinue: boolean;
  length: number;
}

/** What RFC 9113, 6.5.2 adds for each field of a header list. */
const fieldOverheadBytes = 32;

/**
 * @param raw flat names and values in the order sent, pseudo headers included
 * @param hasEnded no body follows
 * @param maxHeadBytes nghttp2 holds a client to it only after the client has acknowledged our settings, which it may put off
 */
export function readHttp2Head(
  raw: readonly string[],
  hasEnded: boolean,
  maxHeadBytes: number,
): Http2Head | FailureCode {
  if (sizeOf(raw) > maxHeadBytes) return "head_too_large";
  const scan = scanHeaders(raw);
  if (typeof scan === "string") return scan;
  // RFC 8441: CONNECT with a protocol asks for a tunnel of that protocol to a path, as HTTP/1.1 does with GET and Upgrade.
  const isWebSocket = scan.method === "CONNECT" && scan.protocol === "websocket" && !hasEnded;
  if (scan.method === "CONNECT" && !isWebSocket) return "not_implemented";
  const authority = scan.authority ?? scan.host;
  if (authority === null || authority === "") return "missing_host";
  // RFC 9113, 8.3.1: the two must agree. One would be routed by, the other logged or believed further on.
  if (scan.host !== null && scan.host.toLowerCase() !== authority.toLowerCase()) return "bad_request";
  if (!isAuthority(authority)) return "bad_request";
  const isAsterisk = scan.path === "*" && scan.method === "OPTIONS";
  if (!scan.path.startsWith("/") && !isAsterisk) return "bad_request";
  const head: RequestHead = {
    method: isWebSocket ? "GET" : scan.method,
    target: scan.path,
    authority,
    protocol: "HTTP/2",
    headers: scan.headers,
    bodyLength: hasEnded || isWebSocket ? 0 : scan.length,
    upgrade: isWebSocket ? "websocket" : null,
  };
  return { head, awaitsContinue: scan.awaitsContinue && !hasEnded };
}

function sizeOf(raw: readonly string[]): number {
  let bytes = (raw.length / 2) * fieldOverheadBytes;
  for (const text of raw) bytes += text.length;
  return bytes;
}

function scanHeaders(raw: readonly string[]): Scan | FailureCode {
  const scan: Scan = {
    headers: [],
    method: "",
    path: "",
    protocol: "",
    authority: null,
    host: null,
    awaitsContinue: false,
    length: -1,
  };
  let cookieAt = -1;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? "";
    const value = raw[i + 1] ?? "";
    switch (name) {
      case ":method":
        scan.method = value;
        continue;
      case ":path":
        scan.path = value;
        continue;
      case ":authority":
        scan.authority = value;
        continue;
      case ":protocol":
        scan.protocol = value;
        continue;
      case ":scheme":
        continue;
      case "host":
        if (scan.host !== null) return "bad_request";
        scan.host = value;
        continue;
      case "expect":
        if (!isKnownExpectation(value)) return "expectation_failed";
        scan.awaitsContinue = true;
        break;
      case "cookie":
        // RFC 9113, 8.2.3: crumbs become one header again for hops that speak HTTP/1.1.
        if (cookieAt >= 0) {
          scan.headers[cookieAt] += `; ${value}`;
          continue;
        }
        cookieAt = scan.headers.length + 1;
        break;
      case "content-length":
        scan.length = Number(value);
        if (!Number.isSafeInteger(scan.length)) return "bad_request";
        break;
      default:
        if (name.startsWith(":")) return "bad_request";
    }
    scan.headers.push(name, value);
  }
  return scan;
}
