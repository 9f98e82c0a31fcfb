// What is legal frame by frame and an attack in thousands. Each count has its own sense of "too many"; passing it ends the connection with
// ENHANCE_YOUR_CALM.
import { MinuteCount } from "../../listen/node/minute-count.ts";

export interface FloodLimits {
  readonly maxResetStreamsPerMinute: number;
  readonly maxControlFramesPerMinute: number;
}

/**
 * `reset`: a stream that ended in one, the client's (CVE-2023-44487) or one it provoked (CVE-2025-8671). `control frame`: SETTINGS, PRIORITY, empty
 * DATA, frames on closed streams: each costs us an answer or a look. `escort`: WINDOW_UPDATE, PING, and frames of unknown types.
 */
export type Counted = "reset" | "control frame" | "escort";

/** Frames beside the data that a client may send for each DATA frame it got (Envoy's measure for WINDOW_UPDATE), and besides. */
const escortsPerDataFrame = 10;
const freeEscorts = 100;
const escortsPerStream = 2;

export class FloodGuard {
  readonly #limits: FloodLimits;
  readonly #resets: MinuteCount;
  readonly #controlFrames: MinuteCount;
  #allowedEscorts = freeEscorts;

  constructor(limits: FloodLimits, nowMs: number) {
    this.#limits = limits;
    this.#resets = new MinuteCount(nowMs);
    this.#controlFrames = new MinuteCount(nowMs);
  }

  /** True when it is one too many. */
  count(kind: Counted, nowMs: number): boolean {
    if (kind === "reset") return this.#resets.add(nowMs) > this.#limits.maxResetStreamsPerMinute;
    // How many escorts are fair depends on how much there was to give room for, and to measure the round trip by. Only those beyond count.
    if (kind === "escort" && --this.#allowedEscorts >= 0) return false;
    return this.#controlFrames.add(nowMs) > this.#limits.maxControlFramesPerMinute;
  }

  onStreamOpened(): void {
    this.#allowedEscorts = Math.max(0, this.#allowedEscorts) + escortsPerStream;
  }

  onDataFrameSent(): void {
    this.#allowedEscorts = Math.max(0, this.#allowedEscorts) + escortsPerDataFrame;
  }
}
