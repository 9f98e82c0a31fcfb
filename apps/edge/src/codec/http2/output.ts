// Frames on their way out, gathered until the end of the turn: one write, however many streams answered.
import { Buffer } from "node:buffer";
import { givePooled, maxPooledBytes, takePooled } from "../pooled-buffer.ts";
import { flag, frameHeaderBytes, frameType } from "./frame.ts";

/** What a turn without bodies fits into; it is handed on as a copy of its length and stays with the connection. */
const smallBytes = 4096;
/** Less than this is no reason to hold a pooled buffer until it is sent. */
const worthHolding = 32 * 1024;
const nothing = new Uint8Array(0);
const maxLoopedBytes = 64;

export class Output {
  readonly #small: Buffer = Buffer.allocUnsafeSlow(smallBytes);
  #bytes: Buffer = this.#small;
  #length = 0;
  /** Where the last frame begins, if it is DATA. */
  #lastData = -1;

  get length(): number {
    return this.#length;
  }

  /** What has been gathered. It belongs to the caller, who may give it back (`givePooled`) when it has been sent. */
  take(): Buffer {
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    this.#lastData = -1;
    if (this.#bytes === this.#small) return Buffer.from(bytes);
    const whole = this.#bytes;
    this.#bytes = this.#small;
    if (bytes.length >= worthHolding) return bytes;
    // Whoever does not read what it is sent would have us hold many times the bytes that are counted.
    const copy = Buffer.from(bytes);
    givePooled(whole);
    return copy;
  }

  /** Frames of this type and their bytes behind one another. */
  frame(
    header: { readonly type: number; readonly flags: number; readonly streamId: number },
    payload: Uint8Array,
  ): void {
    this.#header(header, payload.length);
    this.#append(payload);
  }

  /** A header block, in as many frames as it needs. */
  headers(
    streamId: number,
    block: Uint8Array,
    { isLast, maxFrameBytes }: { readonly isLast: boolean; readonly maxFrameBytes: number },
  ): void {
    let start = 0;
    let type: number = frameType.headers;
    do {
      const end = Math.min(block.length, start + maxFrameBytes);
      const endHeaders = end === block.length ? flag.endHeaders : 0;
      const flags = type === frameType.headers && isLast ? endHeaders | flag.endStream : endHeaders;
      this.frame({ type, flags, streamId }, start === 0 && end === block.length ? block : block.subarray(start, end));
      type = frameType.continuation;
      start = end;
    } while (start < block.length);
  }

  data(streamId: number, chunk: Uint8Array, isLast: boolean): void {
    const start = this.#length;
    this.frame({ type: frameType.data, flags: isLast ? flag.endStream : 0, streamId }, chunk);
    this.#lastData = start;
  }

  /** Ends a stream: in the frame just written, when that is its last DATA and still here, else in one of its own. */
  endStream(streamId: number): void {
    const at = this.#lastData;
    if (at < 0 || this.#bytes.readUInt32BE(at + 5) !== streamId) this.data(streamId, nothing, true);
    else this.#bytes[at + 4] = flag.endStream;
  }

  rstStream(streamId: number, code: number): void {
    this.#header({ type: frameType.rstStream, flags: 0, streamId }, 4);
    this.#uint32(code);
  }

  windowUpdate(streamId: number, increment: number): void {
    this.#header({ type: frameType.windowUpdate, flags: 0, streamId }, 4);
    this.#uint32(increment);
  }

  settings(values: readonly (readonly [id: number, value: number])[]): void {
    this.#header({ type: frameType.settings, flags: 0, streamId: 0 }, values.length * 6);
    for (const [id, value] of values) {
      this.#bytes.writeUInt16BE(id, this.#length);
      this.#length += 2;
      this.#uint32(value);
    }
  }

  goAway(lastStreamId: number, code: number): void {
    this.#header({ type: frameType.goAway, flags: 0, streamId: 0 }, 8);
    this.#uint32(lastStreamId);
    this.#uint32(code);
  }

  #header(
    { type, flags, streamId }: { readonly type: number; readonly flags: number; readonly streamId: number },
    length: number,
  ): void {
    this.#ensure(frameHeaderBytes + length);
    this.#lastData = -1;
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = length >>> 16;
    bytes[at++] = length >>> 8;
    bytes[at++] = length;
    bytes[at++] = type;
    bytes[at++] = flags;
    bytes[at++] = streamId >>> 24;
    bytes[at++] = streamId >>> 16;
    bytes[at++] = streamId >>> 8;
    bytes[at++] = streamId;
    this.#length = at;
  }

  #append(payload: Uint8Array): void {
    const bytes = this.#bytes;
    const at = this.#length;
    // A call out of V8's compiled code costs more than some bytes.
    if (payload.length > maxLoopedBytes) bytes.set(payload, at);
    else for (let i = 0; i < payload.length; i++) bytes[at + i] = payload[i] ?? 0;
    this.#length = at + payload.length;
  }

  #uint32(value: number): void {
    this.#bytes.writeUInt32BE(value, this.#length);
    this.#length += 4;
  }

  #ensure(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#bytes.length) return;
    const larger = takePooled(needed <= maxPooledBytes ? needed : Math.max(this.#bytes.length * 2, needed));
    this.#bytes.copy(larger, 0, 0, this.#length);
    givePooled(this.#bytes);
    this.#bytes = larger;
  }
}
