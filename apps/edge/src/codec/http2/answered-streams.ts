// Streams whose answer is complete while the request is not. RFC 9113, 8.1: the rest of it is not wanted, and the client is told so, but not at once:
// clients that find the reset in the same read as the answer may throw both away.
import type { Stream } from "./stream.ts";

/** Two generations: each stream is kept for one whole interval between calls of `takeDue`, at least. */
export class AnsweredStreams<Owner> {
  #young: Stream<Owner>[] = [];
  #old: Stream<Owner>[] = [];

  get isEmpty(): boolean {
    return this.#young.length === 0 && this.#old.length === 0;
  }

  add(stream: Stream<Owner>): void {
    this.#young.push(stream);
  }

  /** Those that were here at the last call. */
  takeDue(): readonly Stream<Owner>[] {
    const due = this.#old;
    this.#old = this.#young;
    this.#young = [];
    return due;
  }
}
