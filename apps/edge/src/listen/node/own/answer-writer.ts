// What an HTTP/1.1 connection answers, until it leaves at the end of the event loop's turn. Heads and small pieces of bodies are gathered as text, one
// char a byte: Node writes a short string from the stack, where a Buffer would be an object more.
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { allocatePooled } from "../../../codec/pooled-buffer.ts";
import { type Flushable, flushLater } from "../../../exchange/turn-end.ts";
import { writePooled } from "./write-pooled.ts";

/** What is held at most, and what Node writes from the stack. */
const maxHeldChars = 16 * 1024;
/** Written and not taken. With TLS a write is always under way when it returns, so that one is no sign of a slow client. */
const enoughBytes = 128 * 1024;
/** Larger pieces are copied once, into the buffer that is written. */
const maxTextBytes = 4 * 1024;

export class AnswerWriter implements Flushable {
  readonly #socket: Socket;
  #held = "";
  #isFlushPlanned = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** False when the socket has enough for now; its `drain` tells when it takes more. */
  write(text: string): boolean {
    this.#held = this.#held === "" ? text : this.#held + text;
    if (this.#held.length > maxHeldChars) this.sendHeld();
    else this.#planFlush();
    return this.hasRoom;
  }

  /** Nothing to wait for `drain` for. */
  get hasRoom(): boolean {
    return this.#socket.writableLength < enoughBytes;
  }

  /** The texts and, between them, a chunk that is only valid now. Returns as `write`. */
  writeChunk(before: string, chunk: Uint8Array, after: string): boolean {
    if (chunk.length <= maxTextBytes) return this.write(before + latin1Of(chunk) + after);
    const text = this.#held + before;
    this.#held = "";
    const bytes = allocatePooled(text.length + chunk.length + after.length);
    bytes.write(text, 0, "latin1");
    bytes.set(chunk, text.length);
    if (after !== "") bytes.write(after, text.length + chunk.length, "latin1");
    writePooled(this.#socket, bytes);
    return this.hasRoom;
  }

  flush(): void {
    this.#isFlushPlanned = false;
    this.sendHeld();
  }

  /** Nothing is held any more. Before anybody else writes to the socket, or ends it. */
  sendHeld(): void {
    const text = this.#held;
    if (text === "") return;
    this.#held = "";
    if (this.#socket.writable) this.#socket.write(text, "latin1");
  }

  #planFlush(): void {
    if (this.#isFlushPlanned) return;
    this.#isFlushPlanned = true;
    flushLater(this);
  }
}

function latin1Of(chunk: Uint8Array): string {
  const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  return bytes.toString("latin1");
}
