// Reads MessagePack from peers and from disk: plain maps with text keys, lists, text, numbers, booleans, nil and binary. Whatever else the
// bytes claim to be (dates, regular expressions, record definitions) is refused.
//
// Our own reader, as a table stays: the strings of msgpackr's are slices of a copy of everything that was read, and each kept all of it alive.
// These are exact, and equal ones are mostly one (see KnownTexts).
import { KnownTexts } from "./known-texts.ts";
import { WireError } from "./wire-error.ts";

/** Deepest nesting any message has is about 8. */
const maxDepth = 32;

const knownTexts = new KnownTexts();

/**
 * Decodes plain data. Binary shares the memory of `bytes`; nothing else does.
 * @throws WireError `malformed`: other types, lengths beyond the input, deep nesting, truncated input and trailing bytes
 */
export function unpackPlain(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.readValue(0);
  if (!reader.isAtEnd) throw malformed("trailing bytes");
  return value;
}

class Reader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  readValue(depth: number): unknown {
    if (depth > maxDepth) throw malformed("nested too deep");
    const code = this.#readUint8();
    if (code <= 0x7f) return code;
    if (code <= 0x8f) return this.#readMap(code & 0x0f, depth);
    if (code <= 0x9f) return this.#readList(code & 0x0f, depth);
    if (code <= 0xbf) return this.#readText(code & 0x1f);
    if (code >= 0xe0) return code - 0x100;
    switch (code) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#readBinary(this.#readUint8());
      case 0xc5:
        return this.#readBinary(this.#readUint16());
      case 0xc6:
        return this.#readBinary(this.#readUint32());
      case 0xd9:
        return this.#readText(this.#readUint8());
      case 0xda:
        return this.#readText(this.#readUint16());
      case 0xdb:
        return this.#readText(this.#readUint32());
      case 0xdc:
        return this.#readList(this.#readUint16(), depth);
      case 0xdd:
        return this.#readList(this.#readUint32(), depth);
      case 0xde:
        return this.#readMap(this.#readUint16(), depth);
      case 0xdf:
        return this.#readMap(this.#readUint32(), depth);
      default:
        return this.#readNumber(code);
    }
  }

  #readNumber(code: number): number {
    switch (code) {
      case 0xca:
        return this.#bytes.readFloatBE(this.#take(4));
      case 0xcb:
        return this.#bytes.readDoubleBE(this.#take(8));
      case 0xcc:
        return this.#readUint8();
      case 0xcd:
        return this.#readUint16();
      case 0xce:
        return this.#readUint32();
      case 0xcf:
        return Number(this.#bytes.readBigUInt64BE(this.#take(8)));
      case 0xd0:
        return this.#bytes.readInt8(this.#take(1));
      case 0xd1:
        return this.#bytes.readInt16BE(this.#take(2));
      case 0xd2:
        return this.#bytes.readInt32BE(this.#take(4));
      case 0xd3:
        return Number(this.#bytes.readBigInt64BE(this.#take(8)));
      default:
        throw malformed(`type 0x${code.toString(16)} is not allowed`);
    }
  }

  #readUint8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  #readUint16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  #readUint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  #readText(length: number): string {
    const start = this.#take(length);
    return knownTexts.read(this.#bytes, start, this.#offset);
  }

  #readBinary(length: number): Uint8Array {
    const start = this.#take(length);
    return this.#bytes.subarray(start, this.#offset);
  }

  #readList(length: number, depth: number): unknown[] {
    this.#requireRoom(length);
    const list: unknown[] = [];
    for (let i = 0; i < length; i++) list.push(this.readValue(depth + 1));
    return list;
  }

  #readMap(length: number, depth: number): Record<string, unknown> {
    this.#requireRoom(length * 2);
    const map: Record<string, unknown> = {};
    for (let i = 0; i < length; i++) {
      const key = this.readValue(depth + 1);
      // Setting `__proto__` would give the map fields that it does not have.
      if (typeof key !== "string" || key === "__proto__") throw malformed("a key is not a name");
      map[key] = this.readValue(depth + 1);
    }
    return map;
  }

  /** Returns where the next bytes start, and goes behind them. */
  #take(length: number): number {
    this.#requireRoom(length);
    const start = this.#offset;
    this.#offset += length;
    return start;
  }

  /** Every value takes a byte at least: no list is begun that cannot be there. */
  #requireRoom(length: number): void {
    if (length > this.#bytes.length - this.#offset) throw malformed("truncated");
  }
}

function malformed(why: string): WireError {
  return new WireError("malformed", `not readable MessagePack: ${why}`);
}
