// Frames on the stream between ctrl and edge: length (u32, big-endian), protocol version (u8), MessagePack payload of that length.
import { packMessage, protocolVersion, unpackMessage } from "./messages.ts";
import type { Message, MessageFrom, Sender } from "./messages.ts";
import { WireError } from "./wire-error.ts";

/** Ten thousand virtual hosts with a route each are 7 MiB. */
export const maxFrameBytes = 64 * 1024 * 1024;
/** The first frame of either end: nothing larger is read of a peer that has not said who it is. */
export const maxGreetingBytes = 4 * 1024;
/** By sender. The largest thing an edge says is its inventory: this holds 200,000 digests. */
const limitsBytes = { edge: 8 * 1024 * 1024, ctrl: maxFrameBytes } as const;

const headerBytes = 5;

/**
 * One message as a frame.
 * @throws WireError `too-large`: such a message would be refused at the other end
 */
export function encodeFrame(message: Message): Uint8Array {
  const payload = packMessage(message);
  if (payload.length > maxFrameBytes) throw tooLarge(payload.length, maxFrameBytes);
  const frame = Buffer.allocUnsafe(headerBytes + payload.length);
  frame.writeUInt32BE(payload.length, 0);
  frame.writeUInt8(protocolVersion, 4);
  frame.set(payload, headerBytes);
  return frame;
}

/**
 * Cuts a byte stream into messages, however it is fragmented. Memory grows with the bytes that arrived, never with the length a
 * header claims. After an error the stream has no known boundary any more: the decoder refuses all further input, the caller closes.
 */
export class FrameDecoder<From extends Sender> {
  readonly #sender: From;
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  /** Payload length of the frame being received; -1 while its header is incomplete. */
  #payloadBytes = -1;
  #failure: WireError | null = null;
  #limitBytes: number;

  /**
   * @param sender who writes the stream: only its messages are accepted
   * @param firstLimitBytes of the first frame, when more is to be read only of a peer that began well
   */
  constructor(sender: From, firstLimitBytes: number = limitsBytes[sender]) {
    this.#sender = sender;
    this.#limitBytes = firstLimitBytes;
  }

  /**
   * Returns the messages that this chunk completes, in order.
   * @throws WireError, also for a chunk whose first frames were fine: a peer that sends garbage is not half believed
   */
  push(chunk: Uint8Array): MessageFrom[From][] {
    if (this.#failure !== null) throw this.#failure;
    try {
      return this.#accept(chunk);
    } catch (error) {
      this.#failure = error instanceof WireError ? error : new WireError("malformed", String(error));
      this.#chunks = [];
      throw this.#failure;
    }
  }

  /** True between frames: a stream that ends elsewhere was cut off. */
  get isIdle(): boolean {
    return this.#buffered === 0 && this.#payloadBytes < 0 && this.#failure === null;
  }

  #accept(chunk: Uint8Array): MessageFrom[From][] {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    const messages: MessageFrom[From][] = [];
    for (;;) {
      if (this.#payloadBytes < 0) {
        if (this.#buffered < headerBytes) return messages;
        this.#payloadBytes = readHeader(this.#take(headerBytes), this.#limitBytes);
      }
      if (this.#buffered < this.#payloadBytes) return messages;
      const payload = this.#take(this.#payloadBytes);
      this.#payloadBytes = -1;
      messages.push(unpackMessage(this.#sender, payload));
      this.#limitBytes = limitsBytes[this.#sender];
    }
  }

  /** Removes `length` bytes from the front. The chunks of a frame are joined once, when it is complete. */
  #take(length: number): Buffer {
    const joined = this.#chunks.length === 1 ? asBuffer(this.#chunks[0] as Uint8Array) : Buffer.concat(this.#chunks);
    const rest = joined.subarray(length);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#buffered = rest.length;
    return joined.subarray(0, length);
  }
}

function readHeader(header: Buffer, limitBytes: number): number {
  const length = header.readUInt32BE(0);
  if (length > limitBytes) throw tooLarge(length, limitBytes);
  const version = header.readUInt8(4);
  if (version !== protocolVersion) {
    throw new WireError("protocol-version", `a frame of protocol ${version}; this end speaks ${protocolVersion}`);
  }
  return length;
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function tooLarge(length: number, limitBytes: number): WireError {
  return new WireError("too-large", `a frame of ${length} bytes; the limit is ${limitBytes}`);
}
