// A header block in the frames that carry it (RFC 9113, 4.3 and 6.10): HEADERS and as many CONTINUATION as it takes, nothing in between.
import { type ConnectionFault, defaultMaxFrameBytes, errorCode, flag } from "./frame.ts";

/** Frames beside those that a head of the allowed size could need. */
const spareFrames = 8;

const protocolFault = (reason: string): ConnectionFault => ({ code: errorCode.protocolError, reason });
const sizeFault = (reason: string): ConnectionFault => ({ code: errorCode.frameSizeError, reason });

export class HeaderAssembly {
  /** 0: no block has begun. */
  streamId = 0;
  endsStream = false;
  /** The priority fields name the stream itself as its parent. */
  dependsOnItself = false;
  /** The complete block, valid until the next frame; null until then. */
  block: Buffer | null = null;
  readonly #maxBytes: number;
  readonly #maxFrames: number;
  #parts: Buffer[] = [];
  #bytes = 0;
  #frames = 0;

  /**
   * @param maxBytes of the block. A list that is too large but no attack is read, so that the connection lives: more than a list of the
   * allowed size could need.
   */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#maxFrames = Math.ceil(maxBytes / defaultMaxFrameBytes) + spareFrames;
  }

  /** More frames of this block must follow. */
  get isOpen(): boolean {
    return this.streamId !== 0 && this.block === null;
  }

  headers(streamId: number, flags: number, payload: Buffer): ConnectionFault | null {
    this.streamId = streamId;
    this.endsStream = (flags & flag.endStream) !== 0;
    this.dependsOnItself = false;
    this.block = null;
    this.#parts = [];
    this.#bytes = this.#frames = 0;
    let start = 0;
    let end = payload.length;
    if ((flags & flag.padded) !== 0) {
      if (end === 0) return sizeFault("a padded frame without padding length");
      start = 1;
      end -= payload[0] ?? 0;
    }
    if ((flags & flag.priority) !== 0) {
      if (payload.length - start < 5) return sizeFault("HEADERS too short for its priority");
      this.dependsOnItself = (payload.readUInt32BE(start) & 0x7fffffff) === streamId;
      start += 5;
    }
    if (end < start) return protocolFault("padding as long as its frame");
    return this.#add(payload.subarray(start, end), flags);
  }

  continuation(streamId: number, flags: number, payload: Buffer): ConnectionFault | null {
    if (!this.isOpen || streamId !== this.streamId) return protocolFault("CONTINUATION without HEADERS before it");
    return this.#add(payload, flags);
  }

  /** The block has been read. */
  close(): void {
    this.streamId = 0;
    this.block = null;
    this.#parts = [];
  }

  /** Kept only when more is to come: nearly every block is one frame. */
  #add(part: Buffer, flags: number): ConnectionFault | null {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes || ++this.#frames > this.#maxFrames) {
      return { code: errorCode.enhanceYourCalm, reason: "a header block larger than allowed" };
    }
    if ((flags & flag.endHeaders) === 0) this.#parts.push(Buffer.from(part));
    else this.block = this.#parts.length === 0 ? part : Buffer.concat([...this.#parts, part]);
    return null;
  }
}
