// Body of a request that is not handed on yet: because nobody wants it now, or because it came in crumbs.

/** Pieces smaller than this are crumbs: each by itself would be a write upstream, for a few bytes of a client's. */
export const crumbBytes = 1024;

/**
 * One piece, however small the frames were that it came in: an object for each of them would weigh a hundred times what it holds. Bounded by
 * whoever pushes: HTTP/2 by the stream's window, HTTP/1.1 by what one read holds.
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
    // Nearly always there is one.
    if (this.#bytes === null) this.#bytes = Buffer.from(chunk);
    else {
      if (this.#bytes.length < needed) {
        const grown = Buffer.allocUnsafeSlow(2 * needed);
        this.#bytes.copy(grown, 0, 0, this.#length);
        this.#bytes = grown;
      }
      this.#bytes.set(chunk, this.#length);
    }
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
