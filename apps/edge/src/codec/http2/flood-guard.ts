// What is legal frame by frame and an attack in thousands. Each count has its own sense of "too many"; passing it ends the connection with
// ENHANCE_YOUR_CALM.
import { ByteBalance } from "./byte-balance.ts";
import { MinuteCount } from "./minute-count.ts";
import { frameHeaderBytes } from "./frame.ts";

export interface FloodLimits {
  readonly maxResetStreamsPerMinute: number;
  readonly maxControlFramesPerMinute: number;
  readonly connectionBufferBytes: number;
}

/** WINDOW_UPDATE frames that a client may send for each DATA frame it got, and besides (Envoy's measure). */
const updatesPerDataFrame = 10;
const freeUpdates = 100;
const updatesPerStream = 2;

export class FloodGuard {
  readonly #limits: FloodLimits;
  readonly #resets: MinuteCount;
  readonly #controlFrames: MinuteCount;
  readonly #balance: ByteBalance;
  #usefulBytes = 0;
  #allowedUpdates = freeUpdates;

  constructor(limits: FloodLimits, nowMs: number) {
    this.#limits = limits;
    this.#resets = new MinuteCount(nowMs);
    this.#controlFrames = new MinuteCount(nowMs);
    const { maxControlFramesPerMinute: freeFramesPerMinute, connectionBufferBytes: maxSavedBytes } = limits;
    this.#balance = new ByteBalance({ freeFramesPerMinute, maxSavedBytes }, nowMs);
  }

  /** A stream that ended in a reset: the client's (CVE-2023-44487), or one it provoked (CVE-2025-8671). True when it is one too many. */
  countReset(nowMs: number): boolean {
    return this.#resets.add(nowMs) > this.#limits.maxResetStreamsPerMinute;
  }

  /** SETTINGS, PRIORITY and DATA that holds none: no client has a reason to send many. */
  countControlFrame(nowMs: number): boolean {
    return this.#controlFrames.add(nowMs) > this.#limits.maxControlFramesPerMinute;
  }

  /**
   * PING, frames of unknown types and on closed streams: honest clients send many beside much traffic (gRPC measures its round trips), none
   * without. By their bytes, so that large ones are not cheaper than small ones.
   *
   * @param length of the payload
   */
  countIdleFrame(length: number, nowMs: number): boolean {
    const useful = this.#usefulBytes;
    this.#usefulBytes = 0;
    return !this.#balance.settle(frameHeaderBytes + length, useful, nowMs);
  }

  /** How many are fair depends on how much there was to give room for. */
  countWindowUpdate(): boolean {
    return --this.#allowedUpdates < 0;
  }

  /** A frame that carried something: a head or a body, in either direction. */
  onUsefulFrame(length: number): void {
    this.#usefulBytes += frameHeaderBytes + length;
  }

  onStreamOpened(): void {
    this.#allowedUpdates += updatesPerStream;
  }

  onDataFrameSent(length: number): void {
    this.#allowedUpdates += updatesPerDataFrame;
    this.onUsefulFrame(length);
  }
}
