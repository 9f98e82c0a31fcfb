// Whether an HTTP/2 client sends bytes for a reason. node:http2 reports neither WINDOW_UPDATE nor frames of unknown types, and answers PING
// by itself; all of them cost a client nothing and us a turn. They are known by what they are not: bytes of a request, or an answer to
// bytes of ours.

/** Of the frames that carry nothing WINDOW_UPDATE is the shortest but for empty SETTINGS, which are counted one by one. */
const frameBytes = 13;
/** The preface, the first SETTINGS and their acknowledgement. */
const openingBytes = 1024;
/**
 * What one byte of use excuses. Small messages are mostly framing: 7 bytes of gRPC in a DATA frame of 16 may bring a WINDOW_UPDATE for stream and
 * connection and a PING that measures the round trip, 43 bytes.
 */
const excuseFactor = 3;

export interface ByteBalanceOptions {
  /** Frames that carry nothing which a client may send in a minute whatever it does. */
  readonly freeFramesPerMinute: number;
  /** What use may be saved up: updates come some time after the bytes they are for. */
  readonly maxSavedBytes: number;
}

export class ByteBalance {
  readonly #freeBytesPerMs: number;
  readonly #maxBytes: number;
  #bytes: number;
  #settledAtMs: number;

  constructor({ freeFramesPerMinute, maxSavedBytes }: ByteBalanceOptions, nowMs: number) {
    const freeBytes = freeFramesPerMinute * frameBytes;
    this.#freeBytesPerMs = freeBytes / 60_000;
    this.#maxBytes = freeBytes + openingBytes + maxSavedBytes;
    this.#bytes = freeBytes + openingBytes;
    this.#settledAtMs = nowMs;
  }

  /**
   * Takes what was received since the last call, and how much of it and of what was sent was of use. False when the client has
   * sent more for nothing than it may.
   */
  settle(receivedBytes: number, usefulBytes: number, nowMs: number): boolean {
    const earned = (nowMs - this.#settledAtMs) * this.#freeBytesPerMs + excuseFactor * usefulBytes;
    this.#settledAtMs = nowMs;
    this.#bytes = Math.min(this.#bytes + earned - receivedBytes, this.#maxBytes);
    return this.#bytes >= 0;
  }
}
