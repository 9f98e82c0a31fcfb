// The bytes of a response's head (RFC 9112, 4 and 5). Fields come from our own parsers or from configuration; they are checked once more
// all the same, for a line end in one of them would be a second response.
import { STATUS_CODES } from "node:http";
import { isTextCode, isTokenCode } from "../char-class.ts";

/** `HTTP/1.1 200 OK\r\n` by status, made on first use. */
const statusLines: string[] = [];

export function statusLine(status: number): string {
  return (statusLines[status] ??= `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`);
}

/** True when nothing in the field could be read as a line end, or cut to a byte that nobody checked (codes above 255). */
export function isSendableField(name: string, value: string): boolean {
  for (let i = 0; i < name.length; i++) if (isTokenCode[name.charCodeAt(i)] !== 1) return false;
  for (let i = 0; i < value.length; i++) if (isTextCode[value.charCodeAt(i)] !== 1) return false;
  return name.length > 0;
}

/** One field line, or null when it cannot be sent as one. */
export function fieldLine(name: string, value: string): string | null {
  return isSendableField(name, value) ? `${name}: ${value}\r\n` : null;
}
