// The head of an HTTP/1.1 request, from what node:http parsed to what the proxy gets, or why it is refused. node:http has already
// refused malformed lines, repeated or invalid lengths, and a length together with a transfer coding.
import type { IncomingMessage } from "node:http";
import type { RequestHead } from "../../exchange/exchange.ts";
import type { FailureCode } from "../../exchange/failure.ts";
import { isAuthority } from "../../codec/authority.ts";
import { isKnownExpectation } from "../../codec/expectation.ts";
import type { Http1Request } from "./http1-messages.ts";

/** What the headers say about where the request goes and how its body is framed. */
interface Scan {
  readonly headers: string[];
  host: string | null;
  bodyLength: number;
  hasUnknownExpectation: boolean;
}

export interface Http1HeadLimits {
  readonly maxHeaderCount: number;
  readonly allowsHttp10: boolean;
}

/** Returns a failure's code when the request has no single meaning. */
export function readHttp1Head(request: Http1Request, limits: Http1HeadLimits): RequestHead | FailureCode {
  const protocol = readVersion(request, limits.allowsHttp10);
  if (protocol !== "HTTP/1.1" && protocol !== "HTTP/1.0") return protocol;
  if (request.rawHeaders.length > 2 * limits.maxHeaderCount) return "head_too_large";
  const scan = scanHeaders(request.rawHeaders);
  if (typeof scan === "string") return scan;
  if (scan.host === null) return "missing_host";
  // HTTP/1.0 has no chunks: who sends them and who reads them there disagree about where the request ends.
  if (protocol === "HTTP/1.0" && scan.bodyLength < 0) return "bad_request";
  // RFC 9112, 3.2: also where an absolute target overrules it.
  if (!isAuthority(scan.host)) return "bad_request";
  // Of HTTP/1.0 expectations are ignored (RFC 9110, 10.1.1).
  if (scan.hasUnknownExpectation && protocol === "HTTP/1.1") return "expectation_failed";
  const destination = readTarget(request.method ?? "", request.url ?? "", scan.host);
  if (destination === null) return "bad_request";
  return {
    method: request.method ?? "",
    ...destination,
    protocol,
    headers: scan.headers,
    bodyLength: scan.bodyLength,
    upgrade: request.upgrade ? "websocket" : null,
  };
}

function readVersion(request: IncomingMessage, allowsHttp10: boolean): "HTTP/1.0" | "HTTP/1.1" | FailureCode {
  if (request.httpVersion === "1.1") return "HTTP/1.1";
  if (request.httpVersion === "1.0" && allowsHttp10) return "HTTP/1.0";
  return request.httpVersionMajor <= 1 ? "low_version" : "bad_request";
}

function scanHeaders(raw: readonly string[]): Scan | FailureCode {
  const scan: Scan = { headers: [], host: null, bodyLength: 0, hasUnknownExpectation: false };
  let isChunked = false;
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] ?? "").toLowerCase();
    const value = raw[i + 1] ?? "";
    switch (name) {
      case "host":
        if (scan.host !== null) return "bad_request";
        scan.host = value;
        continue;
      case "expect":
        if (!isKnownExpectation(value)) scan.hasUnknownExpectation = true;
        break;
      case "transfer-encoding":
        // Only one coding is undone here. Any other list would be forwarded as something it is not: request smuggling.
        if (isChunked) return "bad_request";
        if (value.toLowerCase() !== "chunked") return "not_implemented";
        isChunked = true;
        scan.bodyLength = -1;
        break;
      case "content-length":
        scan.bodyLength = Number(value);
        if (!Number.isSafeInteger(scan.bodyLength)) return "bad_request";
        break;
      default:
    }
    scan.headers.push(name, value);
  }
  return scan;
}

/** Target in origin form and authority; null when the target is none of the forms a gateway takes (RFC 9112, 3.2). */
function readTarget(method: string, url: string, host: string): { target: string; authority: string } | null {
  if (url.startsWith("/")) return { target: url, authority: host };
  if (url === "*") return method === "OPTIONS" ? { target: url, authority: host } : null;
  const scheme = /^https?:\/\//i.exec(url)?.[0];
  if (scheme === undefined) return null;
  const rest = url.slice(scheme.length);
  const end = rest.search(/[/?#]/);
  // RFC 9112, 3.2.2: the authority of an absolute target replaces Host.
  const authority = end < 0 ? rest : rest.slice(0, end);
  const target = end < 0 ? "/" : rest.slice(end);
  return isAuthority(authority) ? { target: target.startsWith("/") ? target : `/${target}`, authority } : null;
}
