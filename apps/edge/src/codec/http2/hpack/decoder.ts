// Reads header blocks (RFC 7541, 3 and 6) into flat lists of fields. Everything a peer can make large is bounded while it is read, not
// after: the table by what we announced, the list by its limit. A small block may stand for a large list ("HPACK bomb").
import { DynamicTable, entryOverheadBytes } from "./dynamic-table.ts";
import { decodeHuffman } from "./huffman.ts";
import { staticName, staticTableLength, staticValue } from "./static-table.ts";

/**
 * `broken`: the block is none, and with it the whole connection (COMPRESSION_ERROR). `too-large`: the list has passed its limit. `bomb`: so far that
 * it was not read to its end, so that the connection cannot go on either.
 */
export type HeaderBlockFault = "broken" | "too-large" | "bomb";

/** A list this many times larger than allowed is nobody's mistake. */
const bombFactor = 8;

export class HpackDecoder {
  readonly #table: DynamicTable;
  /** What we have announced as SETTINGS_HEADER_TABLE_SIZE. */
  readonly #maxTableBytes: number;
  readonly #maxListBytes: number;
  #bytes: Uint8Array = new Uint8Array(0);
  #position = 0;
  #isBroken = false;

  /** @param limits `maxListBytes` counts names, values and 32 bytes a field, as SETTINGS_MAX_HEADER_LIST_SIZE does */
  constructor({ maxTableBytes, maxListBytes }: { readonly maxTableBytes: number; readonly maxListBytes: number }) {
    this.#table = new DynamicTable(maxTableBytes);
    this.#maxTableBytes = maxTableBytes;
    this.#maxListBytes = maxListBytes;
  }

  /**
   * Reads one complete block. After `too-large` the table is still in step with the peer's, for the block was read to its end: the stream is
   * refused, the connection lives. After `broken` and `bomb` nothing can be read any more.
   */
  decode(block: Uint8Array): string[] | HeaderBlockFault {
    this.#bytes = block;
    this.#position = 0;
    const fields: string[] = [];
    let listBytes = 0;
    let mayResize = true;
    while (this.#position < block.length && !this.#isBroken) {
      const first = block[this.#position] ?? 0;
      if ((first & 0xe0) === 0x20) {
        // RFC 7541, 4.2: only before the first field.
        if (!mayResize || !this.#resize()) return this.#break();
        continue;
      }
      mayResize = false;
      const isIndexed = (first & 0x80) !== 0;
      if (isIndexed ? !this.#readIndexed() : !this.#readLiteral(first)) return this.#break();
      listBytes += this.#name.length + this.#value.length + entryOverheadBytes;
      if (listBytes <= this.#maxListBytes) fields.push(this.#name, this.#value);
      else if (listBytes > bombFactor * this.#maxListBytes) return "bomb";
    }
    if (this.#isBroken) return "broken";
    return listBytes > this.#maxListBytes ? "too-large" : fields;
  }

  /** What was read last. */
  #name = "";
  #value = "";

  #break(): "broken" {
    this.#isBroken = true;
    return "broken";
  }

  #readIndexed(): boolean {
    return this.#look(this.#readInteger(7), true);
  }

  /** With incremental indexing (01), without (0000), never (0001). */
  #readLiteral(first: number): boolean {
    const isAdded = (first & 0x40) !== 0;
    const index = this.#readInteger(isAdded ? 6 : 4);
    if (index === 0) {
      const name = this.#readString();
      if (name === null) return false;
      this.#name = name;
    } else if (!this.#look(index, false)) return false;
    const value = this.#readString();
    if (value === null) return false;
    this.#value = value;
    if (isAdded) this.#table.insert(this.#name, value);
    return true;
  }

  #look(index: number, withValue: boolean): boolean {
    if (index < 1 || index > staticTableLength + this.#table.length) return false;
    const age = index - staticTableLength - 1;
    this.#name = age < 0 ? staticName(index) : this.#table.nameAt(age);
    if (withValue) this.#value = age < 0 ? staticValue(index) : this.#table.valueAt(age);
    return true;
  }

  #resize(): boolean {
    const size = this.#readInteger(5);
    if (size < 0 || size > this.#maxTableBytes) return false;
    this.#table.resize(size);
    return true;
  }

  /** RFC 7541, 5.1; -1 when it does not end, or is larger than anything it could mean. */
  #readInteger(prefixBits: number): number {
    const bytes = this.#bytes;
    const limit = (1 << prefixBits) - 1;
    let value = (bytes[this.#position++] ?? 0) & limit;
    if (value < limit) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#position >= bytes.length) return -1;
      const byte = bytes[this.#position++] ?? 0;
      value += (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) return value;
    }
    return -1;
  }

  #readString(): string | null {
    const isHuffman = ((this.#bytes[this.#position] ?? 0) & 0x80) !== 0;
    if (this.#position >= this.#bytes.length) return null;
    const length = this.#readInteger(7);
    const start = this.#position;
    const end = start + length;
    if (length < 0 || end > this.#bytes.length) return null;
    this.#position = end;
    if (isHuffman) return decodeHuffman(this.#bytes, start, end);
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, length).toString("latin1");
  }
}
