// Reads big-endian fields out of bytes that a stranger sent. A read past the end makes the cursor broken instead of throwing:
// the reader asks once, at the end, whether what it read was there.

export class ByteCursor {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** A read went past the end; everything read since is empty or zero. */
  isBroken = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  uint8(): number {
    return this.#unsigned(1);
  }

  uint16(): number {
    return this.#unsigned(2);
  }

  skip(count: number): void {
    this.#advance(count);
  }

  /** The next `count` bytes, not copied. */
  take(count: number): Uint8Array {
    const from = this.#at;
    return this.#advance(count) ? this.#bytes.subarray(from, from + count) : new Uint8Array(0);
  }

  #unsigned(size: number): number {
    const from = this.#at;
    if (!this.#advance(size)) return 0;
    let value = 0;
    for (let i = from; i < from + size; i++) value = value * 256 + (this.#bytes[i] ?? 0);
    return value;
  }

  #advance(count: number): boolean {
    if (this.isBroken || this.#at + count > this.#bytes.length) {
      this.isBroken = true;
      return false;
    }
    this.#at += count;
    return true;
  }
}
