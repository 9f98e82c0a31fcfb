// Latencies of a run, kept one by one, and the report that a client prints at its end.
import type { LoadResult } from "../generators/load-result.ts";
import { latencyOf } from "../statistics.ts";

export class Samples {
  errors = 0;
  #values = new Float64Array(2 ** 16);
  #count = 0;

  add(latencyMs: number): void {
    if (this.#count === this.#values.length) {
      const grown = new Float64Array(this.#count * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#count++] = latencyMs;
  }

  /** Everything so far, as of a run of so many seconds. */
  report(seconds: number): LoadResult {
    const latency = latencyOf(this.#values.subarray(0, this.#count));
    return { requests: this.#count, seconds, errors: this.errors, latency };
  }
}

/** Reads a client's options from its command line. */
export function readOptions(): unknown {
  return JSON.parse(process.argv[2] ?? "{}");
}

/** Prints the report and ends, whatever connections are open. */
export function finish(result: object): void {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit());
}
