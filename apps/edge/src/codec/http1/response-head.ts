// The bytes of a response's head (RFC 9112, 4 and 5). Fields come from our own parsers or from configuration; they are checked once more
// all the same, for a line end in one of them would be a second response.
import { STATUS_CODES } from "node:http";
import { isTextCode, isTokenCode } from "../../upstream/char-class.ts";

/** `HTTP/1.1 200 OK\r\n` by status, made on first use. */
const statusLines: string[] = [];

export function statusLine(status: number): string {
  return (statusLines[status] ??= `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`);
}

/** One field line, or null when it cannot be sent as one. */
export function fieldLine(name: string, value: string): string | null {
  if (name.length === 0) return null;
  for (let i = 0; i < name.length; i++) if (isTokenCode[name.charCodeAt(i)] !== 1) return null;
  // Codes above 255 have no entry: they would be cut to a byte that nobody checked.
  for (let i = 0; i < value.length; i++) if (isTextCode[value.charCodeAt(i)] !== 1) return null;
  return `${name}: ${value}\r\n`;
}
