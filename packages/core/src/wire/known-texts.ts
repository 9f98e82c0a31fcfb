// Texts out of bytes, each exactly as long as it is. Short ones that were read a while ago are given again instead of made anew: a table says the
// same names again and again, and says each field's with every object.

/** Longer texts (certificates, private keys) are not remembered. */
const maxBytes = 64;
/** A power of two. One text each, so that what is remembered stays well below a megabyte. */
const slotCount = 4096;

export class KnownTexts {
  readonly #slots: string[] = Array.from({ length: slotCount }, () => "");

  /** The text of these UTF-8 bytes. */
  read(bytes: Buffer, start: number, end: number): string {
    if (start === end) return "";
    if (end - start > maxBytes) return bytes.toString("utf8", start, end);
    let hash = 0;
    let all = 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      hash = (Math.imul(hash, 31) + byte) | 0;
      all |= byte;
    }
    if (all > 0x7f) return bytes.toString("utf8", start, end);
    const slot = (hash ^ (hash >>> 12)) & (slotCount - 1);
    const known = this.#slots[slot] as string;
    if (isText(known, bytes, start, end)) return known;
    return (this.#slots[slot] = bytes.toString("latin1", start, end));
  }
}

function isText(known: string, bytes: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}
