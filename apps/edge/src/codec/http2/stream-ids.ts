// What a stream's number tells of it where no stream is open (RFC 9113, 5.1 and 5.1.1).
import { largestWindow } from "./frame.ts";
import { RecentIds } from "./recent-ids.ts";

/** Streams we have reset of late: what the client had under way on them is no mistake of its. */
const rememberedResets = 256;

export class StreamIds {
  /** The highest that the client has opened. */
  last = 0;
  /** Streams above it are not served any more; `largestWindow` serves as "all are". */
  acceptedUpTo = largestWindow;
  readonly #resets = new RecentIds(rememberedResets);
  /** Those the client passed over when it opened its last but one: closed without ever having been open. */
  #skippedFrom = 0;
  #skippedTo = 0;

  /** @param id higher than the last one */
  open(id: number): void {
    if (id > this.last + 2) {
      this.#skippedFrom = this.last + 1;
      this.#skippedTo = id - 1;
    }
    this.last = id;
  }

  /** What GOAWAY names: never more than it has named before (RFC 9113, 6.8). */
  get lastServed(): number {
    return Math.min(this.last, this.acceptedUpTo);
  }

  addReset(id: number): void {
    this.#resets.add(id);
  }

  get servesAll(): boolean {
    return this.acceptedUpTo === largestWindow;
  }

  /** Nothing has been said on it yet; those with even numbers would be ours, and we open none. */
  isIdle(id: number): boolean {
    return id > this.last || (id !== 0 && id % 2 === 0);
  }

  /** What a client says there it may have sent before it could know that nobody wants it. */
  isUnderWay(id: number): boolean {
    return this.#resets.has(id) || id > this.acceptedUpTo;
  }

  wasSkipped(id: number): boolean {
    return id >= this.#skippedFrom && id <= this.#skippedTo;
  }
}
