// Body of a request that is not handed on yet: because nobody wants it now, or because it came in crumbs.

const firstBytes = 4096;

/**
 * One piece, however small the frames were that it came in: an object for each of them would weigh a hundred times what it holds. Bounded by
 * whoever pushes; HTTP/2 does by the stream's window.
 */
export class GatheredBody {
  #bytes: Buffer | null = null;
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Copies the chunk. */
  push(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (this.#bytes === null || this.#bytes.length < needed) {
      const grown = Buffer.allocUnsafeSlow(Math.max(firstBytes, 2 * needed));
      this.#bytes?.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = needed;
  }

  /** What has been held; nothing is any more. */
  take(): Buffer {
    const bytes = this.#bytes?.subarray(0, this.#length) ?? Buffer.alloc(0);
    this.#bytes = null;
    this.#length = 0;
    return bytes;
  }
}
