// Lines gathered as bytes before they are written. pino's destination gathers strings as well, but counts the bytes of all it holds at every
// line: most of what the access log cost a request.

export class LineBuffer {
  readonly #size: number;
  readonly #write: (lines: Uint8Array) => void;
  #bytes: Buffer;
  #length = 0;

  /** @param size bytes that are written at once; only a line that is longer itself is written in one piece all the same
   *  @param write keeps the bytes it is given; whole lines */
  constructor(size: number, write: (lines: Uint8Array) => void) {
    this.#size = size;
    this.#write = write;
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  /** @param line with its end */
  add(line: string): void {
    // A UTF-16 unit is at most three bytes of UTF-8.
    const most = 3 * line.length;
    if (this.#length + most > this.#size) this.flush();
    if (most > this.#size) this.#write(Buffer.from(line));
    else this.#length += this.#bytes.write(line, this.#length);
  }

  /** Writes what is gathered. */
  flush(): void {
    if (this.#length === 0) return;
    const lines = this.#bytes.subarray(0, this.#length);
    this.#bytes = Buffer.allocUnsafeSlow(this.#size);
    this.#length = 0;
    this.#write(lines);
  }
}
