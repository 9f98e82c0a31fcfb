// Cuts what a client sends into frames (RFC 9113, 4.1), behind its preface. DATA is handed on as it comes, in pieces if need be; every other frame is small
// and handed on whole.
import { defaultMaxFrameBytes, errorCode, type ErrorCode, flag, frameHeaderBytes, frameType } from "./frame.ts";

/** Called from inside `execute`. */
export interface FrameEvents {
  /** A frame that is not DATA. The payload is a view that is valid during the call. */
  onFrame(type: number, flags: number, streamId: number, payload: Buffer): void;
  /** The header of a DATA frame; `length` counts its padding, too. */
  onDataFrame(streamId: number, length: number): void;
  /** A piece of its data, without padding; a view that is valid during the call. */
  onDataPiece(streamId: number, chunk: Buffer): void;
  onDataFrameEnd(streamId: number, isLast: boolean): void;
  onFrameFault(code: ErrorCode, reason: string): void;
}

/** What a client says first (RFC 9113, 3.4). */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

type State = "preface" | "header" | "payload" | "padLength" | "data" | "padding" | "stopped";

export class FrameReader {
  readonly #events: FrameEvents;
  #state: State = "preface";
  /** What has come of a header or payload that was cut; the largest payload fits. */
  readonly #carry: Buffer = Buffer.allocUnsafeSlow(defaultMaxFrameBytes);
  #carried = 0;
  #length = 0;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  #dataLeft = 0;
  #paddingLeft = 0;

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  /** A frame has begun and not ended, and it is not the body of a stream, which may take its time. */
  get isInSmallFrame(): boolean {
    return this.#state === "payload" || (this.#carried > 0 && this.#state !== "stopped");
  }

  /** No further event, whatever comes. */
  stop(): void {
    this.#state = "stopped";
  }

  execute(bytes: Buffer): void {
    let position = 0;
    while (position < bytes.length) {
      switch (this.#state) {
        case "preface":
          position = this.#readPreface(bytes, position);
          break;
        case "header":
          position = this.#readHeader(bytes, position);
          break;
        case "payload":
          position = this.#readPayload(bytes, position);
          break;
        case "padLength":
          this.#readPadLength(bytes[position++] ?? 0);
          break;
        case "data":
          position = this.#readData(bytes, position);
          break;
        case "padding":
          position = this.#skipPadding(bytes, position);
          break;
        case "stopped":
          return;
      }
    }
  }

  #readPreface(bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + preface.length - this.#carried);
    if (bytes.compare(preface, this.#carried, this.#carried + end - start, start, end) !== 0) {
      this.#fail(errorCode.protocolError, "no preface");
      return end;
    }
    this.#carried += end - start;
    if (this.#carried === preface.length) {
      this.#carried = 0;
      this.#state = "header";
    }
    return end;
  }

  #readHeader(bytes: Buffer, start: number): number {
    if (this.#carried === 0 && bytes.length - start >= frameHeaderBytes) {
      this.#begin(bytes, start);
      return start + frameHeaderBytes;
    }
    const end = this.#carryUpTo(frameHeaderBytes, bytes, start);
    if (this.#carried === frameHeaderBytes) {
      this.#carried = 0;
      this.#begin(this.#carry, 0);
    }
    return end;
  }

  #begin(bytes: Buffer, at: number): void {
    this.#length = bytes.readUIntBE(at, 3);
    this.#type = bytes[at + 3] ?? 0;
    this.#flags = bytes[at + 4] ?? 0;
    // The highest bit is reserved and ignored.
    this.#streamId = bytes.readUInt32BE(at + 5) & 0x7fffffff;
    if (this.#length > defaultMaxFrameBytes) {
      return this.#fail(errorCode.frameSizeError, "a frame larger than allowed");
    }
    if (this.#type === frameType.data) this.#beginData();
    else if (this.#length === 0) this.#emit(bytes.subarray(0, 0));
    else this.#state = "payload";
  }

  #readPayload(bytes: Buffer, start: number): number {
    const end = start + this.#length;
    if (this.#carried === 0 && end <= bytes.length) {
      this.#emit(bytes.subarray(start, end));
      return end;
    }
    const position = this.#carryUpTo(this.#length, bytes, start);
    if (this.#carried === this.#length) {
      this.#carried = 0;
      this.#emit(this.#carry.subarray(0, this.#length));
    }
    return position;
  }

  #emit(payload: Buffer): void {
    this.#state = "header";
    this.#events.onFrame(this.#type, this.#flags, this.#streamId, payload);
  }

  /** The event may stop the reader. */
  #beginData(): void {
    const isPadded = (this.#flags & flag.padded) !== 0;
    this.#dataLeft = this.#length;
    this.#paddingLeft = 0;
    this.#state = isPadded ? "padLength" : "data";
    this.#events.onDataFrame(this.#streamId, this.#length);
    if (this.#isStopped()) return;
    if (isPadded && this.#length === 0) this.#fail(errorCode.frameSizeError, "a padded frame without padding length");
    else if (!isPadded && this.#length === 0) this.#endData();
  }

  #readPadLength(padLength: number): void {
    this.#dataLeft = this.#length - 1 - padLength;
    this.#paddingLeft = padLength;
    if (this.#dataLeft < 0) this.#fail(errorCode.protocolError, "padding as long as its frame");
    else if (this.#dataLeft > 0) this.#state = "data";
    else if (padLength > 0) this.#state = "padding";
    else this.#endData();
  }

  #fail(code: ErrorCode, reason: string): void {
    this.stop();
    this.#events.onFrameFault(code, reason);
  }

  #readData(bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + this.#dataLeft);
    this.#dataLeft -= end - start;
    if (end > start) this.#events.onDataPiece(this.#streamId, bytes.subarray(start, end));
    if (this.#dataLeft > 0 || this.#isStopped()) return end;
    if (this.#paddingLeft > 0) this.#state = "padding";
    else this.#endData();
    return end;
  }

  #skipPadding(bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + this.#paddingLeft);
    this.#paddingLeft -= end - start;
    if (this.#paddingLeft === 0) this.#endData();
    return end;
  }

  #endData(): void {
    this.#state = "header";
    this.#events.onDataFrameEnd(this.#streamId, (this.#flags & flag.endStream) !== 0);
  }

  #isStopped(): boolean {
    return this.#state === "stopped";
  }

  #carryUpTo(length: number, bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + length - this.#carried);
    bytes.copy(this.#carry, this.#carried, start, end);
    this.#carried += end - start;
    return end;
  }
}
