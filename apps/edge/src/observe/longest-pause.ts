// The longest block of a process's event loop: applying a large table must not be one.
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";

/** How often is looked; a pause shows as what is beyond it. */
const resolutionMs = 10;

export class LongestPause {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: resolutionMs });

  constructor() {
    this.#histogram.enable();
  }

  /** Seconds, since it was last taken; what begins in the very next turn of the loop is missed. */
  take(): number {
    // Of nothing recorded the maximum is 0; else it holds the interval itself.
    const seconds = Math.max(0, this.#histogram.max / 1e9 - resolutionMs / 1000);
    this.#histogram.reset();
    return seconds;
  }

  close(): void {
    this.#histogram.disable();
  }
}
