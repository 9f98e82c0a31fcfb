// Reads the frames that a WebSocket server sends (RFC 6455, 5.2), strictly: what is not allowed ends the connection, because the other
// side would read the bytes after it differently. Data are handed on as they come; only control frames are put together.
import { maxControlBytes, opcode } from "./frames.ts";

export interface FrameSink {
  /** A piece of a message. `isLast`: the message ends with it. Valid during the call only. */
  onMessagePart(isBinary: boolean, part: Uint8Array, isLast: boolean): void;
  onPing(payload: Uint8Array): void;
  /** `code` 1005: the frame named none. */
  onClose(code: number, reason: Uint8Array): void;
}

/** Two bytes and the longest length; servers do not mask. */
const maxHeadBytes = 10;

export class ServerFrames {
  private readonly sink: FrameSink;
  private readonly head: Buffer;
  private headBytes: number;
  /** Payload bytes of the current frame still to come; -1 while its head is read. */
  private left: number;
  private code: number;
  private isFinal: boolean;
  /** Opcode of the message under way; 0 between messages. */
  private message: number;
  private control: Buffer;
  private isClosed: boolean;

  constructor(sink: FrameSink) {
    this.sink = sink;
    this.head = Buffer.alloc(maxHeadBytes);
    this.headBytes = 0;
    this.left = -1;
    this.code = 0;
    this.isFinal = false;
    this.message = 0;
    this.control = Buffer.alloc(0);
    this.isClosed = false;
  }

  /** False when the bytes are not frames of a server. What follows a close frame is ignored. */
  push(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length && !this.isClosed) {
      if (this.left < 0) {
        this.head[this.headBytes++] = chunk[at++] ?? 0;
        if (this.headBytes === this.wantedHeadBytes() && !this.beginFrame()) return false;
        if (this.left === 0) this.takePayload(chunk.subarray(at, at));
        continue;
      }
      const part = chunk.subarray(at, at + this.left);
      at += part.length;
      this.left -= part.length;
      this.takePayload(part);
    }
    return true;
  }

  private wantedHeadBytes(): number {
    if (this.headBytes < 2) return 2;
    const short = (this.head[1] ?? 0) & 0x7f;
    return short < 126 ? 2 : short === 126 ? 4 : maxHeadBytes;
  }

  /** The head is complete: checks it. */
  private beginFrame(): boolean {
    const [first = 0, second = 0] = this.head;
    this.headBytes = 0;
    this.code = first & 0x0f;
    this.isFinal = (first & 0x80) !== 0;
    // No extension was agreed on, so the reserved bits mean nothing; and servers do not mask.
    if ((first & 0x70) !== 0 || (second & 0x80) !== 0) return false;
    const length = this.readLength(second);
    if (length < 0) return false;
    this.left = length;
    if (this.code >= opcode.close) return this.isFinal && length <= maxControlBytes && this.code <= opcode.pong;
    if (this.code > opcode.binary || (this.code === opcode.continuation) !== (this.message !== 0)) return false;
    if (this.code !== opcode.continuation) this.message = this.code;
    return true;
  }

  /** -1 for one that is not written in the fewest bytes, or beyond what a number holds. */
  private readLength(second: number): number {
    if (second < 126) return second;
    if (second === 126) {
      const length = this.head.readUInt16BE(2);
      return length < 126 ? -1 : length;
    }
    const high = this.head.readUInt32BE(2);
    const length = high * 0x1_0000_0000 + this.head.readUInt32BE(6);
    return high > 0x1f_ffff || length <= 0xffff ? -1 : length;
  }

  /** A piece of the payload; `left` is what comes after it. */
  private takePayload(part: Uint8Array): void {
    const isWhole = this.left === 0;
    if (isWhole) this.left = -1;
    if (this.code >= opcode.close) {
      this.control = Buffer.concat([this.control, part]);
      if (isWhole) this.endControl();
      return;
    }
    const isBinary = this.message === opcode.binary;
    const isLast = isWhole && this.isFinal;
    if (isLast) this.message = 0;
    if (part.length > 0 || isLast) this.sink.onMessagePart(isBinary, part, isLast);
  }

  private endControl(): void {
    const { control, code } = this;
    this.control = Buffer.alloc(0);
    if (code === opcode.ping) this.sink.onPing(control);
    if (code !== opcode.close) return;
    this.isClosed = true;
    this.sink.onClose(control.length < 2 ? 1005 : control.readUInt16BE(0), control.subarray(2));
  }
}
