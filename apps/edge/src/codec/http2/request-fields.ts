// What makes a list of fields a request, or trailers of one (RFC 9113, 8.1 to 8.3; RFC 8441 for `:protocol`). A message that breaks these
// rules is malformed: the stream is reset, nothing of it is handed on.
import { isTextCode, isTokenCode } from "../char-class.ts";

/** Fields that describe one connection and have no meaning here (RFC 9113, 8.2.2). `te` may say `trailers`. */
export function isConnectionField(name: string): boolean {
  // Most names leave at their length.
  switch (name.length) {
    case 7:
      return name === "upgrade";
    case 10:
      return name === "connection" || name === "keep-alive";
    case 16:
      return name === "proxy-connection";
    case 17:
      return name === "transfer-encoding";
    default:
      return false;
  }
}

/** The bit of a pseudo header, 0 of a name that is none. */
function pseudoBit(name: string): number {
  switch (name) {
    case ":method":
      return 1;
    case ":scheme":
      return 2;
    case ":path":
      return 4;
    case ":authority":
      return 8;
    case ":protocol":
      return 16;
    default:
      return 0;
  }
}

const requestBits = 1 | 2 | 4;

/** True when `fields` (flat) are the head of one well-formed request. */
export function isWellFormedRequest(fields: readonly string[]): boolean {
  let seen = 0;
  let method = "";
  let path = "";
  let isBehindPseudo = false;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? "";
    const value = fields[i + 1] ?? "";
    if (name.charCodeAt(0) !== 58) {
      isBehindPseudo = true;
      if (!isRegularField(name, value)) return false;
      continue;
    }
    const bit = pseudoBit(name);
    // Unknown, twice, or behind an ordinary field.
    if (bit === 0 || (seen & bit) !== 0 || isBehindPseudo || !isPseudoValue(bit, value)) return false;
    seen |= bit;
    if (bit === 1) method = value;
    else if (bit === 4) path = value;
  }
  return isCompleteHead(seen, method, path);
}

/** What stands in one line with the others further on must not hold a blank, or it becomes another line (RFC 9113, 8.3.1 and 10.3). */
function isPseudoValue(bit: number, value: string): boolean {
  const isToken = bit === 1 || bit === 16;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (isToken ? isTokenCode[code] !== 1 : isTextCode[code] !== 1 || isBlank(code)) return false;
  }
  return bit !== 2 || value === "https" || value === "http" || /^[a-z][a-z0-9+.-]*$/i.test(value);
}

/** RFC 9113, 8.3.1 and 8.5: plain CONNECT has an authority and neither scheme nor path. */
function isCompleteHead(seen: number, method: string, path: string): boolean {
  if (method === "") return false;
  const hasProtocol = (seen & 16) !== 0;
  if (method === "CONNECT" && !hasProtocol) return (seen & (2 | 4)) === 0 && (seen & 8) !== 0;
  if (hasProtocol && (method !== "CONNECT" || (seen & 8) === 0)) return false;
  return (seen & requestBits) === requestBits && path !== "";
}

/** Trailers hold no pseudo headers at all. */
export function areWellFormedTrailers(fields: readonly string[]): boolean {
  for (let i = 0; i < fields.length; i += 2) {
    if (!isRegularField(fields[i] ?? "", fields[i + 1] ?? "")) return false;
  }
  return true;
}

function isRegularField(name: string, value: string): boolean {
  if (name.length === 0 || !isLowerCaseToken(name) || isConnectionField(name)) return false;
  if (name === "te" && value.toLowerCase() !== "trailers") return false;
  return isFieldValue(value);
}

function isLowerCaseToken(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (isTokenCode[code] !== 1 || (code >= 65 && code <= 90)) return false;
  }
  return true;
}

/** No NUL, CR, LF or other control characters, and no blanks around it (RFC 9113, 8.2.1; RFC 9110, 5.5). */
function isFieldValue(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (isTextCode[value.charCodeAt(i)] !== 1) return false;
  return !isBlank(value.charCodeAt(0)) && !isBlank(value.charCodeAt(value.length - 1));
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** Content-Length: -1 when absent, null when it is no single number. */
export function readLength(fields: readonly string[]): number | null {
  let length = -1;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] !== "content-length") continue;
    const value = fields[i + 1] ?? "";
    if (length >= 0 || !/^\d+$/.test(value)) return null;
    length = Number(value);
  }
  // What no number can hold is for whoever reads the head to refuse.
  return Number.isSafeInteger(length) ? length : -1;
}
