// The text of a response head, status line to last header, as one string: one call into native code instead of one a header.
import { STATUS_CODES } from "node:http";
import { LastHead } from "../../codec/last-head.ts";
import { isAscii } from "./field-text.ts";

const statusTexts: readonly string[] = Array.from(
  { length: 1000 },
  (_, status) => `${status} ${STATUS_CODES[status] ?? ""}`,
);

export interface FormattedHead {
  /** Status and headers without the final line end: `404 Not Found\r\nserver: sluice`. What the engine frames itself is left out. One char a byte. */
  readonly text: string;
  /** The engine may be given it as it is; see `toWire`. */
  readonly isAscii: boolean;
}

const last = new LastHead<FormattedHead>();

export function formatHead(status: number, headers: readonly string[]): FormattedHead {
  return last.find(status, headers) ?? last.keep(status, headers, format(status, headers));
}

function format(status: number, headers: readonly string[]): FormattedHead {
  let text = statusTexts[status] ?? `${status} `;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    if (!isFramedHere(name)) text += `\r\n${name}: ${withoutControls(headers[i + 1] ?? "")}`;
  }
  return { text, isAscii: isAscii(text) };
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
