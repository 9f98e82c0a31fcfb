// What is legal frame by frame and an attack in thousands. Each count has its own sense of "too many"; passing it ends the connection with
// ENHANCE_YOUR_CALM.
import { MinuteCount } from "../../listen/node/minute-count.ts";

export interface FloodLimits {
  readonly maxResetStreamsPerMinute: number;
  readonly maxControlFramesPerMinute: number;
}

/** WINDOW_UPDATE frames that a client may send for each DATA frame it got, and besides (Envoy's measure). */
const updatesPerDataFrame = 10;
const freeUpdates = 100;
const updatesPerStream = 2;

export class FloodGuard {
  readonly #limits: FloodLimits;
  readonly #resets: MinuteCount;
  readonly #controlFrames: MinuteCount;
  #allowedUpdates = freeUpdates;

  constructor(limits: FloodLimits, nowMs: number) {
    this.#limits = limits;
    this.#resets = new MinuteCount(nowMs);
    this.#controlFrames = new MinuteCount(nowMs);
  }

  /** A stream that ended in a reset: the client's (CVE-2023-44487), or one it provoked (CVE-2025-8671). True when it is one too many. */
  countReset(nowMs: number): boolean {
    return this.#resets.add(nowMs) > this.#limits.maxResetStreamsPerMinute;
  }

  /** SETTINGS, PING, PRIORITY, empty DATA, frames on closed streams: each costs us an answer or a look. */
  countControlFrame(nowMs: number): boolean {
    return this.#controlFrames.add(nowMs) > this.#limits.maxControlFramesPerMinute;
  }

  /** How many are fair depends on how much there was to give room for. */
  countWindowUpdate(): boolean {
    return --this.#allowedUpdates < 0;
  }

  onStreamOpened(): void {
    this.#allowedUpdates += updatesPerStream;
  }

  onDataFrameSent(): void {
    this.#allowedUpdates += updatesPerDataFrame;
  }
}
