// Reads a request's head from one latin1 string, by index: one line of request and the fields (RFC 9112, 3 and 5). Strict: what another
// reader could take for a different request is refused, for its framing decides where the next request of this connection begins.
import type { HttpVersion, RequestHead } from "../../exchange/exchange.ts";
import type { FailureCode } from "../../exchange/failure.ts";
import { isAuthority } from "../authority.ts";
import { isKnownExpectation } from "../expectation.ts";
import { CR, HTAB, isTextCode, isTokenCode, LF, SP } from "../char-class.ts";
import { readRequestFieldName } from "./request-field-name.ts";
import { readRequestTarget } from "./request-target.ts";

export interface RequestHeadLimits {
  readonly maxHeaderCount: number;
  readonly allowsHttp10: boolean;
}

/** A head and what of it concerns this connection only. */
export interface Http1RequestHead extends RequestHead {
  /** The connection ends with the answer. */
  readonly closesConnection: boolean;
  /** The client waits for 100 before it sends the body (RFC 9110, 10.1.1). */
  readonly awaitsContinue: boolean;
}

/** What the fields say, gathered for the time of one synchronous call: an object a request would only be thrown away. */
let host: string | null = null;
let bodyLength = 0;
let isChunked = false;
let hasLength = false;
let closes = false;
let keepsAlive = false;
let asksToUpgrade = false;
let upgrade = "";
let expectation = "";
let hasUnknownExpectation = false;
let fieldCount = 0;

/** @param text a head, every line with its CRLF, without the empty line */
export function parseRequestHead(text: string, limits: RequestHeadLimits): Http1RequestHead | FailureCode {
  const methodEnd = endOfToken(text, 0);
  if (methodEnd === 0 || text.charCodeAt(methodEnd) !== SP) return "bad_request";
  const targetEnd = endOfTarget(text, methodEnd + 1);
  if (targetEnd === methodEnd + 1 || text.charCodeAt(targetEnd) !== SP) return "bad_request";
  const lineEnd = text.indexOf("\r\n", targetEnd);
  const protocol = readVersion(text.slice(targetEnd + 1, lineEnd), limits);
  if (protocol !== "HTTP/1.1" && protocol !== "HTTP/1.0") return protocol;
  const headers: string[] = [];
  const failure = readFields(text, lineEnd + 2, { headers, maxCount: limits.maxHeaderCount }) ?? checkFraming(protocol);
  if (failure !== null) return failure;
  if (host === null) return "missing_host";
  // RFC 9112, 3.2: also where an absolute target overrules it.
  if (!isAuthority(host)) return "bad_request";
  // Of HTTP/1.0 expectations are ignored (RFC 9110, 10.1.1).
  if (hasUnknownExpectation && protocol === "HTTP/1.1") return "expectation_failed";
  const method = text.slice(0, methodEnd);
  const destination = readRequestTarget(method, text.slice(methodEnd + 1, targetEnd), host);
  if (typeof destination === "string") return destination;
  const upgrades = isWebSocketHandshake(method, protocol);
  return {
    method,
    target: destination.target,
    authority: destination.authority,
    protocol,
    headers,
    bodyLength: isChunked ? -1 : bodyLength,
    upgrade: upgrades ? "websocket" : null,
    closesConnection: closes || (protocol === "HTTP/1.0" && !keepsAlive),
    awaitsContinue: protocol === "HTTP/1.1" && expectation === "100-continue" && (isChunked || bodyLength > 0),
  };
}

function readVersion(version: string, { allowsHttp10 }: RequestHeadLimits): "HTTP/1.0" | "HTTP/1.1" | FailureCode {
  if (version === "HTTP/1.1") return "HTTP/1.1";
  if (version === "HTTP/1.0") return allowsHttp10 ? "HTTP/1.0" : "low_version";
  return "bad_request";
}

/** Fills `headers` and the fields of this module; why not, or null. */
function readFields(
  text: string,
  start: number,
  { headers, maxCount }: { readonly headers: string[]; readonly maxCount: number },
): FailureCode | null {
  forgetFields();
  let position = start;
  while (position < text.length) {
    if (++fieldCount > maxCount) return "head_too_large";
    const colon = text.indexOf(":", position);
    // A folded line begins with a blank, and a line without a colon holds a CRLF: neither is a token.
    const name = colon < 0 ? null : readRequestFieldName(text.slice(position, colon));
    if (name === null) return "bad_request";
    let valueStart = colon + 1;
    while (isBlank(text.charCodeAt(valueStart))) valueStart++;
    const lineEnd = endOfText(text, valueStart);
    if (text.charCodeAt(lineEnd) !== CR || text.charCodeAt(lineEnd + 1) !== LF) return "bad_request";
    let valueEnd = lineEnd;
    while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--;
    const value = text.slice(valueStart, valueEnd);
    position = lineEnd + 2;
    if (name === "host") {
      if (host !== null) return "bad_request";
      host = value;
      continue;
    }
    const isTabbed = valueEnd < lineEnd && text.lastIndexOf("\t", lineEnd - 1) >= valueEnd;
    const failure = isTabbed && framingNames.has(name) ? "bad_request" : noteField(name, value);
    if (failure !== null) return failure;
    headers.push(name, value);
  }
  return null;
}

/** A tab behind their value is legal, and read as part of it by some: not worth forwarding. */
const framingNames: ReadonlySet<string> = new Set(["connection", "content-length", "transfer-encoding"]);

function forgetFields(): void {
  host = null;
  bodyLength = 0;
  isChunked = hasLength = closes = keepsAlive = asksToUpgrade = hasUnknownExpectation = false;
  upgrade = expectation = "";
  fieldCount = 0;
}

/** Takes note of fields that decide about framing and the connection. Most names leave at their length. */
function noteField(name: string, value: string): FailureCode | null {
  switch (name.length) {
    case 6:
      if (name !== "expect") return null;
      expectation = value.toLowerCase();
      hasUnknownExpectation ||= !isKnownExpectation(value);
      return null;
    case 7:
      if (name === "upgrade") upgrade = upgrade === "" ? value : `${upgrade},${value}`;
      return null;
    case 10:
      if (name === "connection") noteConnection(value);
      return null;
    case 14:
      return name === "content-length" ? noteLength(value) : null;
    case 17:
      return name === "transfer-encoding" ? noteCoding(value) : null;
    default:
      return null;
  }
}

/** Digits, once: what is repeated, even equal, is read differently by some (RFC 9112, 6.3). */
function noteLength(value: string): FailureCode | null {
  if (hasLength || !/^\d{1,16}$/.test(value)) return "bad_request";
  hasLength = true;
  bodyLength = Number(value);
  return Number.isSafeInteger(bodyLength) ? null : "bad_request";
}

/** Only one coding is undone here. Any other list would be forwarded as something it is not: request smuggling. */
function noteCoding(value: string): FailureCode | null {
  if (isChunked) return "bad_request";
  if (value !== "chunked" && value.toLowerCase() !== "chunked") return "not_implemented";
  isChunked = true;
  return null;
}

function noteConnection(value: string): void {
  if (value === "keep-alive") keepsAlive = true;
  else if (value === "close") closes = true;
  else {
    for (const option of value.toLowerCase().split(",")) {
      const token = option.trim();
      if (token === "close") closes = true;
      else if (token === "keep-alive") keepsAlive = true;
      else if (token === "upgrade") asksToUpgrade = true;
    }
  }
}

function checkFraming(protocol: HttpVersion): FailureCode | null {
  // RFC 9112, 6.1: either makes the body's end ambiguous. The classic pair of request smuggling; HTTP/1.0 has no chunks at all.
  return isChunked && (hasLength || protocol === "HTTP/1.0") ? "bad_request" : null;
}

/** RFC 6455, 4.1. One with a body is none: where would the body end and the tunnel begin? */
function isWebSocketHandshake(method: string, protocol: HttpVersion): boolean {
  return (
    asksToUpgrade &&
    method === "GET" &&
    protocol === "HTTP/1.1" &&
    !isChunked &&
    bodyLength === 0 &&
    upgrade.toLowerCase() === "websocket"
  );
}

function endOfToken(text: string, start: number): number {
  let end = start;
  while (isTokenCode[text.charCodeAt(end)] === 1) end++;
  return end;
}

/** Targets are printable ASCII (RFC 3986); which of it may stand in a path is the proxy's affair. */
function endOfTarget(text: string, start: number): number {
  let end = start;
  for (let code = text.charCodeAt(end); code > SP && code < 0x7f; code = text.charCodeAt(++end));
  return end;
}

function endOfText(text: string, start: number): number {
  let end = start;
  while (isTextCode[text.charCodeAt(end)] === 1) end++;
  return end;
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}
