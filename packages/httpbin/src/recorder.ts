// Remembers the last requests that reached this backend, so that a test can see what a gateway really sent.
import type { IncomingMessage } from "node:http";

/** One request as it arrived. `bodyBytes` grows while the body is read; the other fields are fixed with the head. */
export interface RecordedRequest {
  readonly method: string;
  /** The request target as sent, query included. */
  readonly url: string;
  /** Names and values alternating, in the order and the case they were sent. */
  readonly rawHeaders: readonly string[];
  readonly bodyBytes: number;
  readonly httpVersion: string;
  /** The port this backend was reached on: tells backends of one test apart. */
  readonly localPort: number;
}

export type MutableRecord = { -readonly [Field in keyof RecordedRequest]: RecordedRequest[Field] };

/** A ring of the newest requests: benchmarks send millions, so the oldest are overwritten in place. */
export class Recorder {
  readonly #capacity: number;
  readonly #ring: MutableRecord[] = [];
  #oldest = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  record(request: IncomingMessage): MutableRecord {
    const entry: MutableRecord = {
      method: request.method ?? "",
      url: request.url ?? "",
      rawHeaders: request.rawHeaders,
      bodyBytes: 0,
      httpVersion: request.httpVersion,
      localPort: request.socket.localPort ?? 0,
    };
    if (this.#ring.length < this.#capacity) {
      this.#ring.push(entry);
    } else {
      this.#ring[this.#oldest] = entry;
      this.#oldest = (this.#oldest + 1) % this.#capacity;
    }
    return entry;
  }

  /** A copy of the list, newest last. */
  list(): RecordedRequest[] {
    return [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)];
  }
}
