// Text between uWebSockets.js and the rest: it decodes requests as UTF-8 and encodes responses as UTF-8, while everywhere else
// one char is one byte (latin1), as HTTP has it.

const replacementCharacter = "\uFFFD";

/** True when every char is one byte in UTF-8 too. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 126) return false;
  return true;
}

/**
 * What the client sent, one char a byte; null when it was no UTF-8 and the bytes are lost. Not to be left out: written as latin1,
 * U+010A would become the byte 0x0A, a line feed in the middle of a request head.
 */
export function toBytesText(text: string): string | null {
  if (text.includes(replacementCharacter)) return null;
  return Buffer.from(text, "utf8").toString("latin1");
}

/** A response head as uWebSockets.js is to be given it: strings are sent as UTF-8, so bytes above 127 go as bytes. */
export function toWire(head: string): string | Buffer {
  return isAscii(head) ? head : Buffer.from(head, "latin1");
}
