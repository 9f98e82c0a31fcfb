// MessagePack as this protocol uses it: plain maps with text keys, lists, text, numbers, booleans, nil and binary. Nothing else is read.
// Without msgpackr's native extraction: its texts are slices of one text of the whole message, which each of them keeps in memory (434 bytes a route).
import { Packr } from "msgpackr/pack";

import { WireError } from "./wire-error.ts";

/**
 * No records, no shared structures, no bundled strings: they would make bytes depend on what was packed before, and the same
 * table must give the same bytes in every process.
 */
const packr = new Packr({
  useRecords: false,
  variableMapSize: true,
  moreTypes: false,
  structuredClone: false,
  int64AsType: "number",
});

/** Deepest nesting any message has is about 8. */
const maxDepth = 32;

/** Encodes plain data. Keys keep the order they were written in. */
export function packPlain(value: unknown): Uint8Array {
  return packr.pack(value);
}

/**
 * Decodes plain data, after a walk over the bytes that refuses what msgpackr would otherwise act on: extension types (msgpackr builds
 * dates, errors, sets, regular expressions and compiled record readers from them), lengths beyond the input (it allocates a list of the
 * claimed length first), deep nesting, truncated input and trailing bytes.
 */
export function unpackPlain(bytes: Uint8Array): unknown {
  const end = skipValue(bytes, 0, 0);
  if (end !== bytes.length) throw malformed("trailing bytes");
  try {
    return packr.unpack(bytes);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : "undecodable");
  }
}

/** Returns the offset after the value that starts at `offset`. */
function skipValue(bytes: Uint8Array, offset: number, depth: number): number {
  if (depth > maxDepth) throw malformed("nested too deep");
  const code = byteAt(bytes, offset);
  const next = offset + 1;
  if (code <= 0x7f || code >= 0xe0 || code === 0xc0 || code === 0xc2 || code === 0xc3) return next;
  if (code <= 0x8f) return skipMap(bytes, next, { entries: code & 0x0f, depth });
  if (code <= 0x9f) return skipList(bytes, next, { entries: code & 0x0f, depth });
  if (code <= 0xbf) return skipBytes(bytes, next, code & 0x1f);
  switch (code) {
    case 0xc4:
    case 0xd9:
      return skipBytes(bytes, next + 1, readLength(bytes, next, 1));
    case 0xc5:
    case 0xda:
      return skipBytes(bytes, next + 2, readLength(bytes, next, 2));
    case 0xc6:
    case 0xdb:
      return skipBytes(bytes, next + 4, readLength(bytes, next, 4));
    case 0xcc:
    case 0xd0:
      return skipBytes(bytes, next, 1);
    case 0xcd:
    case 0xd1:
      return skipBytes(bytes, next, 2);
    case 0xca:
    case 0xce:
    case 0xd2:
      return skipBytes(bytes, next, 4);
    case 0xcb:
    case 0xcf:
    case 0xd3:
      return skipBytes(bytes, next, 8);
    case 0xdc:
      return skipList(bytes, next + 2, { entries: readLength(bytes, next, 2), depth });
    case 0xdd:
      return skipList(bytes, next + 4, { entries: readLength(bytes, next, 4), depth });
    case 0xde:
      return skipMap(bytes, next + 2, { entries: readLength(bytes, next, 2), depth });
    case 0xdf:
      return skipMap(bytes, next + 4, { entries: readLength(bytes, next, 4), depth });
    default:
      throw malformed(`type 0x${code.toString(16)} is not allowed`);
  }
}

interface Container {
  readonly entries: number;
  readonly depth: number;
}

function skipList(bytes: Uint8Array, offset: number, { entries, depth }: Container): number {
  requireRoom(bytes, offset, entries);
  for (let i = 0; i < entries; i++) offset = skipValue(bytes, offset, depth + 1);
  return offset;
}

function skipMap(bytes: Uint8Array, offset: number, { entries, depth }: Container): number {
  requireRoom(bytes, offset, entries * 2);
  for (let i = 0; i < entries; i++) {
    const key = byteAt(bytes, offset);
    if (!((key >= 0xa0 && key <= 0xbf) || (key >= 0xd9 && key <= 0xdb))) throw malformed("a key is not text");
    offset = skipValue(bytes, skipValue(bytes, offset, depth + 1), depth + 1);
  }
  return offset;
}

function skipBytes(bytes: Uint8Array, offset: number, length: number): number {
  requireRoom(bytes, offset, length);
  return offset + length;
}

function requireRoom(bytes: Uint8Array, offset: number, length: number): void {
  if (length > bytes.length - offset) throw malformed("truncated");
}

function readLength(bytes: Uint8Array, offset: number, size: 1 | 2 | 4): number {
  let length = 0;
  for (let i = 0; i < size; i++) length = length * 256 + byteAt(bytes, offset + i);
  return length;
}

function byteAt(bytes: Uint8Array, offset: number): number {
  const byte = bytes[offset];
  if (byte === undefined) throw malformed("truncated");
  return byte;
}

function malformed(why: string): WireError {
  return new WireError("malformed", `not readable MessagePack: ${why}`);
}
