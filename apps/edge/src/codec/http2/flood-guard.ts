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
  readonly #now: () => number;
  readonly #onFlood: (reason: string) => void;
  readonly #resets: MinuteCount;
  readonly #controlFrames: MinuteCount;
  readonly #balance: ByteBalance;
  #usefulBytes = 0;
  #allowedUpdates = freeUpdates;

  constructor(limits: FloodLimits, now: () => number, onFlood: (reason: string) => void) {
    const nowMs = now();
    this.#now = now;
    this.#onFlood = onFlood;
    this.#limits = limits;
    this.#resets = new MinuteCount(nowMs);
    this.#controlFrames = new MinuteCount(nowMs);
    const { maxControlFramesPerMinute: freeFramesPerMinute, connectionBufferBytes: maxSavedBytes } = limits;
    this.#balance = new ByteBalance({ freeFramesPerMinute, maxSavedBytes }, nowMs);
  }

  /** A stream that ended in a reset: the client's (CVE-2023-44487), or one it provoked (CVE-2025-8671). */
  countReset(): void {
    if (this.#resets.add(this.#now()) > this.#limits.maxResetStreamsPerMinute) this.#onFlood("a flood of resets");
  }

  /** SETTINGS, PRIORITY and DATA that holds none: no client has a reason to send many. */
  countControlFrame(): void {
    const count = this.#controlFrames.add(this.#now());
    if (count > this.#limits.maxControlFramesPerMinute) this.#onFlood("a flood of control frames");
  }

  /**
   * PING, frames of unknown types and on closed streams: honest clients send many beside much traffic (gRPC measures its round trips), none
   * without. By their bytes, so that large ones are not cheaper than small ones.
   *
   * @param length of the payload
   */
  countIdleFrame(length: number): void {
    const useful = this.#usefulBytes;
    this.#usefulBytes = 0;
    if (!this.#balance.settle(frameHeaderBytes + length, useful, this.#now())) this.#onFlood("a flood of idle frames");
  }

  /** How many are fair depends on how much there was to give room for. */
  countWindowUpdate(): void {
    if (--this.#allowedUpdates < 0) this.#onFlood("a flood of WINDOW_UPDATE");
  }

  /** A frame that carried something: a head or a body, in either direction. */
  onUsefulFrame(length: number): void {
    this.#usefulBytes += frameHeaderBytes + length;
  }

  /** Frames of padding alone are as empty as those without (CVE-2019-9518). That a stream ends is worth a frame. */
  onDataFrame(bytes: number, isLast: boolean): void {
    if (bytes > 0 || isLast) this.onUsefulFrame(bytes);
    else this.countControlFrame();
  }

  onStreamOpened(): void {
    this.#allowedUpdates += updatesPerStream;
  }

  onDataFrameSent(length: number): void {
    this.#allowedUpdates += updatesPerDataFrame;
    this.onUsefulFrame(length);
  }
}
