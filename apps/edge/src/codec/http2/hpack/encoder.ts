// Writes header blocks (RFC 7541, 6). Fields that repeat go into the table and are one or two bytes from then on; what differs every
// time is not worth a place there, and credentials are marked never to be put into any.
import { DynamicTable } from "./dynamic-table.ts";
import { encodeHuffman, huffmanLength } from "./huffman.ts";
import { findStaticField, findStaticName, staticTableLength } from "./static-table.ts";

/** Our own limit, whatever the peer allows: RFC 7541's default. */
const maxOwnTableBytes = 4096;

/** RFC 7541, 7.1.3: whoever shares the connection must not find them out by what compresses well. */
const neverIndexed: ReadonlySet<string> = new Set(["authorization", "cookie", "proxy-authorization", "set-cookie"]);

/** Another value with nearly every message: of these only the name is put into the table, with the first value. */
const notIndexed: ReadonlySet<string> = new Set([
  "content-length",
  "content-range",
  "etag",
  "location",
  "x-envoy-upstream-service-time",
  "x-request-id",
]);

interface KnownField {
  readonly name: string;
  readonly value: string;
  /** Of the whole field, or where it is 0 of the name of one that is written out. */
  readonly index: number;
  readonly nameIndex: number;
}

/** Of so many fields of a block. */
const maxPlaces = 16;
const noPlaces: readonly null[] = Array.from({ length: maxPlaces }, () => null);

/** A value this long would push everything else out. */
const maxIndexedValueLength = 512;

export class HpackEncoder {
  readonly #table = new DynamicTable(maxOwnTableBytes);
  /** Sizes to announce before the next block: the least since the last one, and the last (RFC 7541, 4.2). */
  #leastSize = maxOwnTableBytes;
  #hasResized = false;
  #target: Buffer = Buffer.allocUnsafeSlow(1024);
  #position = 0;
  /** How fields of the last blocks were written, by their place. Holds until something joins or leaves the table. */
  #places: (KnownField | null)[] = noPlaces.slice();

  /** The peer's SETTINGS_HEADER_TABLE_SIZE has come. */
  limitTable(peerBytes: number): void {
    const size = Math.min(peerBytes, maxOwnTableBytes);
    if (size === this.#table.maxBytes) return;
    this.#leastSize = Math.min(this.#hasResized ? this.#leastSize : this.#table.maxBytes, size);
    this.#hasResized = true;
    this.#table.resize(size);
    this.#places = noPlaces.slice();
  }

  /**
   * The block of a response, or of trailers when `status` is 0. The bytes are valid until the next call.
   *
   * @param fields flat, names in lower case, one char a byte
   */
  encode(status: number, fields: readonly string[]): Buffer {
    this.#position = 0;
    if (this.#hasResized) this.#announceSize();
    if (status !== 0) this.#writeField(":status", String(status), 0);
    for (let i = 0; i < fields.length; i += 2) this.#writeField(fields[i] ?? "", fields[i + 1] ?? "", 1 + i / 2);
    return this.#target.subarray(0, this.#position);
  }

  #announceSize(): void {
    this.#ensure(16);
    if (this.#leastSize < this.#table.maxBytes) this.#writeInteger(0x20, 5, this.#leastSize);
    this.#writeInteger(0x20, 5, this.#table.maxBytes);
    this.#hasResized = false;
  }

  #writeField(name: string, value: string, place: number): void {
    this.#ensure(name.length + value.length + 32);
    const known = this.#places[place] ?? null;
    if (known !== null && known.name === name) {
      if (known.index === 0) {
        this.#writeInteger(0, 4, known.nameIndex);
        return this.#writeString(value);
      }
      if (known.value === value) return this.#writeInteger(0x80, 7, known.index);
    }
    const age = this.#table.ageOf(name, value);
    const index = age < 0 ? findStaticField(name, value) : staticTableLength + 1 + age;
    if (index > 0) {
      this.#remember(place, { name, value, index, nameIndex: 0 });
      return this.#writeInteger(0x80, 7, index);
    }
    const isOneOff = notIndexed.has(name);
    const nameIndex = findStaticName(name) || (isOneOff ? this.#findName(name) : 0);
    if (neverIndexed.has(name)) this.#writeInteger(0x10, 4, nameIndex);
    else if (isOneOff && nameIndex > 0) {
      this.#remember(place, { name, value, index: 0, nameIndex });
      this.#writeInteger(0, 4, nameIndex);
    } else if (value.length > maxIndexedValueLength) this.#writeInteger(0, 4, nameIndex);
    else {
      this.#writeInteger(0x40, 6, nameIndex);
      this.#table.insert(name, value);
      this.#places = noPlaces.slice();
    }
    if (nameIndex === 0) this.#writeString(name);
    this.#writeString(value);
  }

  #remember(place: number, field: KnownField): void {
    if (place < maxPlaces) this.#places[place] = field;
  }

  #findName(name: string): number {
    const age = this.#table.ageOfName(name);
    return age < 0 ? 0 : staticTableLength + 1 + age;
  }

  #writeString(text: string): void {
    const length = huffmanLength(text);
    if (length < text.length) {
      this.#writeInteger(0x80, 7, length);
      this.#position = encodeHuffman(text, this.#target, this.#position);
      return;
    }
    this.#writeInteger(0, 7, text.length);
    this.#position += this.#target.write(text, this.#position, "latin1");
  }

  #writeInteger(flags: number, prefixBits: number, value: number): void {
    const limit = (1 << prefixBits) - 1;
    if (value < limit) {
      this.#target[this.#position++] = flags | value;
      return;
    }
    this.#target[this.#position++] = flags | limit;
    let rest = value - limit;
    for (; rest >= 0x80; rest >>>= 7) this.#target[this.#position++] = (rest & 0x7f) | 0x80;
    this.#target[this.#position++] = rest;
  }

  /** A string is never longer than its characters: Huffman is used where it is shorter. */
  #ensure(byteCount: number): void {
    if (this.#position + byteCount <= this.#target.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#target.length * 2, this.#position + byteCount));
    this.#target.copy(grown, 0, 0, this.#position);
    this.#target = grown;
  }
}
