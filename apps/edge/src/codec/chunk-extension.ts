// Chunk extensions (RFC 9112 7.1.1) are skipped, but only well-formed ones: sloppy readers of extensions that take a bare LF or CR
// for the line's end are how chunked bodies get smuggled.
import { CR, isTextCode, isTokenCode } from "./char-class.ts";

const EQUALS = 0x3d;
const SEMICOLON = 0x3b;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where in `;name=value;name="value"` the reader is. */
export type ExtensionState =
  | "nameStart"
  | "name"
  | "valueStart"
  | "value"
  | "quoted"
  | "escaped"
  | "quotedEnd"
  | "end"
  | "bad";

/** The state after one byte; `end` when it was the CR of the line's end. */
export function nextExtensionState(state: ExtensionState, code: number): ExtensionState {
  switch (state) {
    case "nameStart":
      return isTokenCode[code] === 1 ? "name" : "bad";
    case "name":
      return isTokenCode[code] === 1 ? "name" : code === EQUALS ? "valueStart" : afterItem(code);
    case "valueStart":
      return code === QUOTE ? "quoted" : isTokenCode[code] === 1 ? "value" : "bad";
    case "value":
      return isTokenCode[code] === 1 ? "value" : afterItem(code);
    case "quoted":
      return code === QUOTE ? "quotedEnd" : code === BACKSLASH ? "escaped" : isTextCode[code] === 1 ? "quoted" : "bad";
    case "escaped":
      return isTextCode[code] === 1 ? "quoted" : "bad";
    case "quotedEnd":
      return afterItem(code);
    case "end":
    case "bad":
      return "bad";
  }
}

function afterItem(code: number): ExtensionState {
  return code === SEMICOLON ? "nameStart" : code === CR ? "end" : "bad";
}
