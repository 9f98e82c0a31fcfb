// Turns what uWebSockets.js parsed into a request head, or refuses it: the engine accepts several forms that the next hop may
// read differently, and two readings of one request are request smuggling (RFC 9112 11.2).
import type { HttpRequest } from "uWebSockets.js";
import type { RequestHead } from "../../exchange/exchange.ts";
import type { FailureCode } from "../../exchange/failure.ts";
import { isAuthority } from "../../codec/authority.ts";
import { isKnownExpectation } from "../../codec/expectation.ts";
import type { DownstreamLimits } from "../listener.ts";
import { isAscii, toBytesText } from "./field-text.ts";

export interface UwsRequestHead extends RequestHead {
  readonly closesConnection: boolean;
}

/** 15 digits: everything a double holds exactly and more than any body. */
const maxLengthDigits = 15;

// Set by `collect` for the time of one synchronous `forEach`; fields of the module, because a closure a request would cost more
// than the rest of this file.
let headers: string[] = [];
let fieldCount = 0;
let headBytes = 0;
let hostCount = 0;
let host = "";
let lengthCount = 0;
let length = "";
let codingCount = 0;
let coding = "";
let closes = false;
let isMangled = false;
let hasUnknownExpectation = false;

/** The head, or why it is refused. Reads `request`, which is only valid during the engine's callback. */
export function readRequest(request: HttpRequest, limits: DownstreamLimits): UwsRequestHead | FailureCode {
  reset();
  request.forEach(collect);
  const method = request.getCaseSensitiveMethod();
  const target = readTarget(request);
  if (isMangled || target === null || !isToken(method)) return "bad_request";
  // The engine takes a path behind it. An upstream that opened a tunnel for it would not read the next request of its connection as one.
  if (method === "CONNECT") return "not_implemented";
  if (fieldCount > limits.maxHeaderCount) return "head_too_large";
  // The engine applies its own limit only to heads that come in several reads.
  if (headBytes + method.length + target.length > limits.maxHeadBytes) return "head_too_large";
  if (hostCount === 1 && host === "") return "missing_host";
  if (hostCount !== 1 || !isAuthority(host)) return "bad_request";
  if (hasUnknownExpectation) return "expectation_failed";
  const bodyLength = readBodyLength();
  if (typeof bodyLength === "string") return bodyLength;
  // The engine knows no trailers: what follows a chunked body would be read as the next request of the connection.
  const closesConnection = closes || bodyLength < 0;
  return {
    method,
    target,
    authority: host,
    protocol: "HTTP/1.1",
    headers,
    bodyLength,
    upgrade: null,
    closesConnection,
  };
}

function reset(): void {
  headers = [];
  fieldCount = headBytes = hostCount = lengthCount = codingCount = 0;
  host = length = coding = "";
  closes = isMangled = hasUnknownExpectation = false;
}

function collect(name: string, value: string): void {
  fieldCount++;
  headBytes += name.length + value.length + 4;
  let text = value;
  if (!isAscii(value)) {
    const bytes = toBytesText(value);
    if (bytes === null) isMangled = true;
    else text = bytes;
  }
  if (!isSpecial(name, text)) headers.push(name, text);
}

/** Notes fields that decide about framing and the connection; true when the field is not handed on. */
function isSpecial(name: string, value: string): boolean {
  switch (name) {
    case "host":
      hostCount++;
      host = value;
      return true;
    case "connection":
      // The engine closes after any Connection value of five letters, so the client has to be told in all these cases.
      closes ||= value.length === 5 || value.toLowerCase().includes("close");
      return false;
    case "expect":
      hasUnknownExpectation ||= !isKnownExpectation(value);
      return false;
    case "content-length":
      lengthCount++;
      length = value;
      return false;
    case "transfer-encoding":
      codingCount++;
      coding = value;
      return false;
    default:
      return false;
  }
}

/** Path and query as sent; null when they cannot be handed on. A lone `?` is kept. */
function readTarget(request: HttpRequest): string | null {
  const path = request.getUrl();
  const query = request.getQuery() as string | undefined;
  const target = query === undefined ? path : `${path}?${query}`;
  if (target.charCodeAt(0) !== 47) return null;
  return isAscii(target) ? target : toBytesText(target);
}

/**
 * Length of the body as `RequestHead.bodyLength`. The engine takes the first of several Content-Length fields and decodes any
 * Transfer-Encoding as chunked; an upstream may do otherwise.
 */
function readBodyLength(): number | FailureCode {
  if (codingCount > 0) {
    if (lengthCount > 0 || codingCount > 1) return "bad_request";
    return coding.toLowerCase() === "chunked" ? -1 : "not_implemented";
  }
  if (lengthCount === 0) return 0;
  if (lengthCount > 1 || length.length === 0 || length.length > maxLengthDigits) return "bad_request";
  for (let i = 0; i < length.length; i++) {
    const code = length.charCodeAt(i);
    if (code < 48 || code > 57) return "bad_request";
  }
  return Number(length);
}

const tokenChars = charTable("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

function charTable(chars: string): Uint8Array {
  const table = new Uint8Array(128);
  for (let i = 0; i < chars.length; i++) table[chars.charCodeAt(i)] = 1;
  return table;
}

function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (tokenChars[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
}
