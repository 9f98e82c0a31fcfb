// The framing between the chunks of a chunked body: sizes, extensions and line ends, byte by byte, across reads.
import { CR, LF } from "./char-class.ts";
import { type ExtensionState, nextExtensionState } from "./chunk-extension.ts";

/** 16 hex digits are 64 bits; more is an attempt to overflow somebody. */
const maxSizeDigits = 16;
const maxExtensionBytes = 4096;
const SEMICOLON = 0x3b;

export type ChunkFault = "bad chunk" | "chunk extension too long";

type State = "size" | "extension" | "sizeEnd" | "data" | "dataEnd" | "dataEndLf" | "last";

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

export class ChunkDecoder {
  /** Bytes of the current chunk's data that are still to come. The caller takes them off through `consume`. */
  remaining: number;
  fault: ChunkFault | null;
  private state: State;
  private size: number;
  private sizeDigits: number;
  private extension: ExtensionState;
  private extensionBytes: number;

  constructor() {
    this.remaining = 0;
    this.fault = null;
    this.state = "size";
    this.size = 0;
    this.sizeDigits = 0;
    this.extension = "nameStart";
    this.extensionBytes = 0;
  }

  reset(): void {
    this.remaining = 0;
    this.fault = null;
    this.state = "size";
    this.size = 0;
    this.sizeDigits = 0;
  }

  /** The line of the last chunk is read; trailers follow. */
  get isLast(): boolean {
    return this.state === "last";
  }

  /** `count` bytes of the chunk's data have been handed on. */
  consume(count: number): void {
    this.remaining -= count;
    if (this.remaining === 0) this.state = "dataEnd";
  }

  /** Reads framing until data begins (`remaining` > 0), the last chunk is reached, a fault, or `end`. Returns the next index. */
  readFraming(bytes: Uint8Array, start: number, end: number): number {
    let position = start;
    while (position < end && this.state !== "data" && this.state !== "last") {
      this.take(bytes[position++] ?? 0);
      if (this.fault !== null) break;
    }
    return position;
  }

  private take(code: number): void {
    switch (this.state) {
      case "size":
        this.takeSize(code);
        return;
      case "extension":
        this.takeExtension(code);
        return;
      case "sizeEnd":
        if (code !== LF) this.fault = "bad chunk";
        this.remaining = this.size;
        this.state = this.size === 0 ? "last" : "data";
        return;
      case "dataEnd":
        if (code !== CR) this.fault = "bad chunk";
        this.state = "dataEndLf";
        return;
      case "dataEndLf":
        if (code !== LF) this.fault = "bad chunk";
        this.state = "size";
        this.size = 0;
        this.sizeDigits = 0;
        return;
      case "data":
      case "last":
        return;
    }
  }

  private takeSize(code: number): void {
    const digit = hexDigit(code);
    if (digit >= 0) {
      this.size = this.size * 16 + digit;
      if (++this.sizeDigits > maxSizeDigits || this.size > Number.MAX_SAFE_INTEGER) this.fault = "bad chunk";
    } else if (this.sizeDigits === 0) {
      this.fault = "bad chunk";
    } else if (code === CR) {
      this.state = "sizeEnd";
    } else if (code === SEMICOLON) {
      this.state = "extension";
      this.extension = "nameStart";
      this.extensionBytes = 0;
    } else {
      this.fault = "bad chunk";
    }
  }

  private takeExtension(code: number): void {
    this.extension = nextExtensionState(this.extension, code);
    if (this.extension === "bad") this.fault = "bad chunk";
    else if (this.extension === "end") this.state = "sizeEnd";
    else if (++this.extensionBytes > maxExtensionBytes) this.fault = "chunk extension too long";
  }
}
