// Reads a response's status line and fields from one latin1 string, by index. Anything another reader could understand differently
// is refused: the response's framing decides where the next response on this connection begins (RFC 9112).
import { CR, HTAB, isTextCode, LF, NINE, SP, ZERO } from "../codec/char-class.ts";
import { fieldNameOf } from "./field-name.ts";
import { type KnownLine, LineMemory, maxKnownHeadChars } from "./line-memory.ts";

export const maxHeaderCount = 200;

/** Why a response was refused; for logs and tests. */
export type ParseFault =
  | "bad status line"
  | "bad header name"
  | "bad header value"
  | "too many headers"
  | "bad content-length"
  | "conflicting content-length"
  | "bad transfer-encoding"
  | "transfer-encoding with content-length"
  | "transfer-encoding in HTTP/1.0"
  | "unexpected 101"
  | "framing in 101"
  | "head too large"
  | "bad chunk"
  | "chunk extension too long"
  | "trailers too large"
  | "framing in trailers";

/** What a head says. One object a connection, filled anew for every response that differs from the last; `headers` is a new list each time. */
export class ResponseHead {
  status: number;
  /** Flat (name, value, ...): lower-case names, without framing and hop-by-hop fields. */
  headers: string[];
  /** -1 when not announced. */
  contentLength: number;
  isChunked: boolean;
  isHttp10: boolean;
  hasClose: boolean;
  hasKeepAlive: boolean;
  headerCount: number;
  /** Names that `Connection` lists; null in all but odd responses. */
  connectionNames: string[] | null;
  readonly memory: LineMemory;
  /** What the rest was read from, if it can be taken for read when it comes again; empty: it cannot. */
  text: string;
  /** `headers` as they were read, once they have come twice: whoever gets a list may change it. */
  private repeated: readonly string[] | null;

  constructor() {
    this.memory = new LineMemory();
    this.text = "";
    this.repeated = null;
    this.status = 0;
    this.headers = [];
    this.contentLength = -1;
    this.isChunked = false;
    this.isHttp10 = false;
    this.hasClose = false;
    this.hasKeepAlive = false;
    this.headerCount = 0;
    this.connectionNames = null;
  }

  reset(): void {
    this.status = 0;
    this.headers = [];
    this.contentLength = -1;
    this.isChunked = false;
    this.isHttp10 = false;
    this.hasClose = false;
    this.hasKeepAlive = false;
    this.headerCount = 0;
    this.connectionNames = null;
    this.text = "";
    this.repeated = null;
  }

  /** True when the head is the last one once more, with a new list. */
  takeRepeated(text: string): boolean {
    if (text !== this.text || this.repeated === null) return false;
    this.headers = this.repeated.slice();
    return true;
  }

  /** The head has been read without fault. */
  keep(text: string, isRepeated: boolean): void {
    if (text.length > maxKnownHeadChars) return;
    this.text = text;
    if (isRepeated) this.repeated = this.headers.slice();
  }
}

/** Fills `head` from the text of a head, every line with its CRLF, without the empty line. Returns why not, or null. */
export function parseResponseHead(text: string, head: ResponseHead): ParseFault | null {
  if (head.takeRepeated(text)) return null;
  const isRepeated = text === head.text;
  head.reset();
  const fieldsStart = parseStatusLine(text, head);
  if (fieldsStart < 0) return "bad status line";
  const fault = parseFields(text, fieldsStart, head);
  if (fault !== null) return fault;
  if (head.isChunked) {
    // RFC 9112 6.1 and 6.3: either makes the body's end ambiguous. The classic pair of response smuggling.
    if (head.contentLength >= 0) return "transfer-encoding with content-length";
    if (head.isHttp10) return "transfer-encoding in HTTP/1.0";
  }
  if (head.connectionNames !== null) removeNames(head.headers, head.connectionNames);
  head.keep(text, isRepeated);
  return null;
}

/** `HTTP/1.x ddd[ reason]`; the index behind the line, or -1. */
function parseStatusLine(text: string, head: ResponseHead): number {
  if (!text.startsWith("HTTP/1.") || text.charCodeAt(8) !== SP) return -1;
  const minor = text.charCodeAt(7);
  if (minor !== ZERO && minor !== ZERO + 1) return -1;
  head.isHttp10 = minor === ZERO;
  for (let i = 9; i < 12; i++) {
    const code = text.charCodeAt(i);
    if (!(code >= ZERO && code <= NINE)) return -1;
    head.status = head.status * 10 + (code - ZERO);
  }
  if (head.status < 100) return -1;
  // RFC 9112 wants a space even before an empty reason; enough servers leave it out that refusing would only cost.
  if (text.charCodeAt(12) !== SP && text.charCodeAt(12) !== CR) return -1;
  const end = endOfText(text, 12);
  return isLineEnd(text, end) ? end + 2 : -1;
}

/** Reads field lines up to the end of `text` into `head`. Also used on trailers, with a head that is thrown away. */
export function parseFields(text: string, start: number, head: ResponseHead): ParseFault | null {
  const { headers, memory } = head;
  let position = start;
  while (position < text.length) {
    const place = head.headerCount++;
    if (place === maxHeaderCount) return "too many headers";
    let line = memory.find(place, text, position);
    if (line === null) {
      const read = readLine(text, position);
      if (typeof read === "string") return read;
      line = read;
      memory.keep(place, text, line);
    }
    position += line.text.length;
    const { name, role } = line.field;
    if (role === "endToEnd") {
      headers.push(name, line.value);
      continue;
    }
    const fault = role === "hopByHop" ? null : parseFraming(role, line.value, head);
    if (fault !== null) return fault;
  }
  return null;
}

function readLine(text: string, start: number): KnownLine | ParseFault {
  const colon = text.indexOf(":", start);
  // A folded line (obs-fold) begins with a blank and a line without a colon holds a CRLF: neither is a token.
  const field = colon < 0 ? null : fieldNameOf(text.slice(start, colon));
  if (field === null) return "bad header name";
  let valueStart = colon + 1;
  while (isBlank(text.charCodeAt(valueStart))) valueStart++;
  const lineEnd = endOfText(text, valueStart);
  if (!isLineEnd(text, lineEnd)) return "bad header value";
  let valueEnd = lineEnd;
  while (valueEnd > valueStart && isBlank(text.charCodeAt(valueEnd - 1))) valueEnd--;
  return { text: text.slice(start, lineEnd + 2), field, value: text.slice(valueStart, valueEnd) };
}

function parseFraming(
  role: "connection" | "contentLength" | "transferEncoding",
  value: string,
  head: ResponseHead,
): ParseFault | null {
  switch (role) {
    case "contentLength": {
      const length = parseContentLength(value);
      if (length < 0) return "bad content-length";
      if (head.contentLength >= 0 && head.contentLength !== length) return "conflicting content-length";
      head.contentLength = length;
      return null;
    }
    case "transferEncoding":
      // `chunked` once and alone. A list, a repetition or an unknown coding leaves the body's end to interpretation.
      if (head.isChunked || (value !== "chunked" && value.toLowerCase() !== "chunked")) return "bad transfer-encoding";
      head.isChunked = true;
      return null;
    case "connection":
      parseConnection(value, head);
      return null;
  }
}

/** Digits only (`+5`, `0x5`, `5, 5` and the empty value are refused); -1 when not, or not exactly representable. */
function parseContentLength(value: string): number {
  if (value.length === 0) return -1;
  let length = 0;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < ZERO || code > NINE) return -1;
    length = length * 10 + (code - ZERO);
    if (length > Number.MAX_SAFE_INTEGER) return -1;
  }
  return length;
}

function parseConnection(value: string, head: ResponseHead): void {
  let start = 0;
  while (start <= value.length) {
    const comma = value.indexOf(",", start);
    const end = comma < 0 ? value.length : comma;
    const option = value.slice(start, end).trim().toLowerCase();
    start = end + 1;
    if (option === "close") head.hasClose = true;
    else if (option === "keep-alive") head.hasKeepAlive = true;
    else if (option !== "") (head.connectionNames ??= []).push(option);
  }
}

function removeNames(headers: string[], names: readonly string[]): void {
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    if (names.includes(name)) continue;
    headers[kept] = name;
    headers[kept + 1] = headers[i + 1] ?? "";
    kept += 2;
  }
  headers.length = kept;
}

function endOfText(text: string, start: number): number {
  let end = start;
  while (isTextCode[text.charCodeAt(end)] === 1) end++;
  return end;
}

function isLineEnd(text: string, index: number): boolean {
  return text.charCodeAt(index) === CR && text.charCodeAt(index + 1) === LF;
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}
