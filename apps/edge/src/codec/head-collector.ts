// Finds the empty line that ends a head, across reads, and hands the head out as one string. Bounded.

const emptyLine = Buffer.from("\r\n\r\n", "latin1");
const firstCarryBytes = 2048;

export class HeadCollector {
  readonly maxBytes: number;
  /** The section is longer than `maxBytes`. */
  isTooLarge: boolean;
  /** After `take`: the index behind what was used up. */
  position: number;
  private carry: Buffer | null;
  private carriedBytes: number;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
    this.isTooLarge = false;
    this.position = 0;
    this.carry = null;
    this.carriedBytes = 0;
  }

  get isEmpty(): boolean {
    return this.carriedBytes === 0;
  }

  reset(): void {
    this.isTooLarge = false;
    this.carry = null;
    this.carriedBytes = 0;
  }

  /**
   * Looks at `bytes[start, end)`. Returns the section with the CRLF of its last line, without the empty line; null when it is
   * not complete yet (the bytes are kept) or too large. Bytes behind `end` are stale: a find that reaches into them is none.
   */
  take(bytes: Buffer, start: number, end: number): string | null {
    if (this.carriedBytes > 0) return this.takeCarried(bytes, start, end);
    const found = bytes.indexOf(emptyLine, start);
    if (found < 0 || found + 4 > end) {
      this.keep(bytes, start, end);
      return null;
    }
    this.position = found + 4;
    if (this.position - start > this.maxBytes) {
      this.isTooLarge = true;
      return null;
    }
    return bytes.toString("latin1", start, found + 2);
  }

  private takeCarried(bytes: Buffer, start: number, end: number): string | null {
    const before = this.carriedBytes;
    this.keep(bytes, start, end);
    const { carry } = this;
    if (carry === null) return null;
    const found = carry.subarray(0, this.carriedBytes).indexOf(emptyLine, Math.max(0, before - 3));
    if (found < 0) return null;
    this.position = start + (found + 4 - before);
    const text = carry.toString("latin1", 0, found + 2);
    this.reset();
    return text;
  }

  /** Copies as much as fits; whatever ends inside the limit is still found. Doubling keeps a trickled head linear. */
  private keep(bytes: Buffer, start: number, end: number): void {
    const room = this.maxBytes - this.carriedBytes;
    const count = Math.min(room, end - start);
    const needed = this.carriedBytes + count;
    if (this.carry === null || this.carry.length < needed) {
      const grown = Buffer.allocUnsafeSlow(Math.min(this.maxBytes, Math.max(firstCarryBytes, needed * 2)));
      this.carry?.copy(grown, 0, 0, this.carriedBytes);
      this.carry = grown;
    }
    bytes.copy(this.carry, this.carriedBytes, start, start + count);
    this.carriedBytes = needed;
    this.position = start + count;
    if (count < end - start) this.isTooLarge = true;
  }
}
