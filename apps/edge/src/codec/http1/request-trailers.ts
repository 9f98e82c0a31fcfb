// The fields behind a chunked body (RFC 9112, 7.1.2), by the grammar of the head.
import { CR, HTAB, isTextCode, LF, SP } from "../char-class.ts";
import { readRequestFieldName } from "./request-field-name.ts";

/** Flat fields of `text` from `start`, names in lower case; null when they are malformed, too many, or would frame the message. */
export function parseTrailers(text: string, start: number, maxCount: number): string[] | null {
  const fields: string[] = [];
  let position = start;
  while (position < text.length) {
    const colon = text.indexOf(":", position);
    const name = colon < 0 ? null : readRequestFieldName(text.slice(position, colon));
    if (name === null || name === "content-length" || name === "transfer-encoding") return null;
    let end = colon + 1;
    while (isTextCode[text.charCodeAt(end)] === 1) end++;
    if (text.charCodeAt(end) !== CR || text.charCodeAt(end + 1) !== LF) return null;
    fields.push(name, trimBlanks(text, colon + 1, end));
    if (fields.length > 2 * maxCount) return null;
    position = end + 2;
  }
  return fields;
}

function trimBlanks(text: string, start: number, end: number): string {
  let [from, to] = [start, end];
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}
