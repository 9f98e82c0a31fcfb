// The text of a response head, status line to last header, as one string: one call into native code instead of one a header.
import { STATUS_CODES } from "node:http";

const statusTexts: readonly string[] = Array.from(
  { length: 1000 },
  (_, status) => `${status} ${STATUS_CODES[status] ?? ""}`,
);

/**
 * Status and headers without the final line end: `404 Not Found\r\nserver: sluice`. What the engine frames itself is left out. One char a byte;
 * see `toWire`.
 */
export function formatHead(status: number, headers: readonly string[], closes: boolean): string {
  let head = statusTexts[status] ?? `${status} `;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    if (!isFramedHere(name)) head += `\r\n${name}: ${withoutControls(headers[i + 1] ?? "")}`;
  }
  return closes ? `${head}\r\nconnection: close` : head;
}

/** Names this engine writes itself: framing, connection, and the date that uWebSockets.js adds to every response. */
function isFramedHere(name: string): boolean {
  switch (name) {
    case "date":
    case "connection":
    case "keep-alive":
    case "content-length":
    case "transfer-encoding":
    // No trailers on this engine, so none are announced.
    case "trailer":
      return true;
    default:
      return false;
  }
}

/** No value may end its line: whoever could put CR or LF into one would write the rest of the response. */
function withoutControls(value: string): string {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 32 && code !== 9) || code === 127) return replaceControls(value);
  }
  return value;
}

function replaceControls(value: string): string {
  // eslint-disable-next-line no-control-regex
  return value.replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f]/g, " ");
}
