// The HTTP/1.1 request parser: bytes in, events out, no I/O. It owns the framing of one connection: which bytes are head, body and
// trailers, and where a request ends. Between requests it stands still: a pipelined request is read when its turn has come.
import { noTrailers } from "../../exchange/exchange.ts";
import type { FailureCode } from "../../exchange/failure.ts";
import { allowedTrailers } from "../../exchange/trailers.ts";
import { CR, LF } from "../char-class.ts";
import { ChunkDecoder } from "../chunk-decoder.ts";
import { HeadCollector } from "../head-collector.ts";
import { type Http1RequestHead, parseRequestHead, type RequestHeadLimits } from "./request-head.ts";
import { parseTrailers } from "./request-trailers.ts";

export interface RequestParserLimits extends RequestHeadLimits {
  readonly maxHeadBytes: number;
}

/** Called from inside `execute`; any of them may set `isPaused`. */
export interface RequestEvents {
  /** A body, if there is one, follows. */
  onHead(head: Http1RequestHead): void;
  /** A view into the bytes given to `execute`. */
  onBody(chunk: Uint8Array): void;
  /** The request is complete; nothing more is read until `next`. */
  onEnd(trailers: readonly string[]): void;
  /** It cannot be read, nor anything behind it. */
  onFault(failure: FailureCode): void;
}

const maxTrailerBytes = 8 * 1024;
/** RFC 9112, 2.2: a client may send an empty line too many. One that sends nothing else is none. */
const maxLeadingBytes = 16;
const lineEnd = Buffer.from("\r\n", "latin1");

type State = "head" | "length" | "chunked" | "trailers" | "done" | "broken";

export class RequestParser {
  /** While true no event is raised and no byte taken. */
  isPaused: boolean;
  readonly #events: RequestEvents;
  readonly #limits: RequestParserLimits;
  readonly #collector: HeadCollector;
  readonly #trailers: HeadCollector;
  readonly #chunks: ChunkDecoder;
  #state: State;
  #remaining: number;
  #leadingBytes: number;
  /** Of a head that goes on in the next read. */
  #lastByte: number;

  constructor(events: RequestEvents, limits: RequestParserLimits) {
    this.isPaused = false;
    this.#events = events;
    this.#limits = limits;
    this.#collector = new HeadCollector(limits.maxHeadBytes);
    this.#trailers = new HeadCollector(maxTrailerBytes);
    this.#chunks = new ChunkDecoder();
    this.#state = "head";
    this.#remaining = 0;
    this.#leadingBytes = 0;
    this.#lastByte = 0;
  }

  /** No byte of a further request has come. */
  get isBetweenRequests(): boolean {
    return this.#state === "done" || (this.#state === "head" && this.#collector.isEmpty);
  }

  /** A head has begun and not ended. */
  get isInHead(): boolean {
    return this.#state === "head" && !this.#collector.isEmpty;
  }

  /** Read the next request. */
  next(): void {
    if (this.#state !== "done") return;
    this.#state = "head";
    this.#leadingBytes = 0;
    this.#collector.reset();
  }

  /** Reads `bytes`. Returns the index behind the last byte used: less than all when the request is complete, paused or broken. */
  execute(bytes: Buffer, start: number): number {
    const end = bytes.length;
    let position = start;
    while (position < end && !this.isPaused) {
      switch (this.#state) {
        case "head":
          position = this.#readHead(bytes, position, end);
          break;
        case "length":
          position = this.#readLength(bytes, position, end);
          break;
        case "chunked":
          position = this.#readChunked(bytes, position, end);
          break;
        case "trailers":
          position = this.#readTrailers(bytes, position, end);
          break;
        case "done":
        case "broken":
          return position;
      }
    }
    return position;
  }

  #readHead(bytes: Buffer, start: number, end: number): number {
    const collector = this.#collector;
    if (collector.isEmpty) {
      const position = this.#skipEmptyLines(bytes, start, end);
      if (position !== start) return position;
    }
    const text = collector.take(bytes, start, end);
    if (text === null) {
      if (collector.isTooLarge) this.#fail("head_too_large");
      // Such a head would never end as it must: who sends it is told now and not when its time is up.
      else if (this.#hasBareLineFeed(bytes, start, end)) this.#fail("bad_request");
      return collector.position;
    }
    const head = parseRequestHead(text, this.#limits);
    if (typeof head === "string") this.#fail(head);
    else this.#begin(head);
    return collector.position;
  }

  #hasBareLineFeed(bytes: Buffer, start: number, end: number): boolean {
    let before = this.#lastByte;
    this.#lastByte = bytes[end - 1] ?? 0;
    for (let i = bytes.indexOf(LF, start); i >= 0 && i < end; i = bytes.indexOf(LF, i + 1)) {
      if (i > start) before = bytes[i - 1] ?? 0;
      if (before !== CR) return true;
    }
    return false;
  }

  #skipEmptyLines(bytes: Buffer, start: number, end: number): number {
    let position = start;
    while (position < end && (bytes[position] === CR || bytes[position] === LF)) {
      // A line feed without its carriage return is no line end, here or anywhere.
      if (bytes[position] !== (this.#leadingBytes % 2 === 0 ? CR : LF) || ++this.#leadingBytes > maxLeadingBytes) {
        this.#fail("bad_request");
        return end;
      }
      position++;
    }
    if (position < end && this.#leadingBytes % 2 === 1) {
      this.#fail("bad_request");
      return end;
    }
    return position;
  }

  /** Decides the framing before the event, so that the state is right whatever the event does. */
  #begin(head: Http1RequestHead): void {
    const { bodyLength } = head;
    if (bodyLength < 0) {
      this.#state = "chunked";
      this.#chunks.reset();
    } else if (bodyLength > 0) {
      this.#state = "length";
      this.#remaining = bodyLength;
    } else {
      this.#state = "done";
    }
    this.#events.onHead(head);
  }

  #readLength(bytes: Buffer, start: number, end: number): number {
    const count = Math.min(this.#remaining, end - start);
    this.#remaining -= count;
    const isLast = this.#remaining === 0;
    if (isLast) this.#state = "done";
    this.#events.onBody(bytes.subarray(start, start + count));
    if (isLast) this.#events.onEnd(noTrailers);
    return start + count;
  }

  #readChunked(bytes: Buffer, start: number, end: number): number {
    const chunks = this.#chunks;
    const position = chunks.readFraming(bytes, start, end);
    if (chunks.fault !== null) {
      this.#fail("bad_request");
      return position;
    }
    if (chunks.isLast) {
      this.#state = "trailers";
      this.#trailers.reset();
    }
    if (chunks.remaining === 0 || position === end) return position;
    const count = Math.min(chunks.remaining, end - position);
    chunks.consume(count);
    this.#events.onBody(bytes.subarray(position, position + count));
    return position + count;
  }

  #readTrailers(bytes: Buffer, start: number, end: number): number {
    const collector = this.#trailers;
    if (collector.isEmpty) {
      if (start + 1 < end && bytes[start] === CR && bytes[start + 1] === LF) {
        this.#end(noTrailers);
        return start + 2;
      }
      // With the last chunk's own line end in front, "no trailers" and "trailers" end alike, in an empty line.
      collector.take(lineEnd, 0, 2);
    }
    const text = collector.take(bytes, start, end);
    if (text === null) {
      if (collector.isTooLarge) this.#fail("bad_request");
      return collector.position;
    }
    const trailers = parseTrailers(text, 2, this.#limits.maxHeaderCount);
    if (trailers === null) this.#fail("bad_request");
    else this.#end(allowedTrailers(trailers));
    return collector.position;
  }

  #end(trailers: readonly string[]): void {
    this.#state = "done";
    this.#events.onEnd(trailers);
  }

  #fail(failure: FailureCode): void {
    this.#state = "broken";
    this.#events.onFault(failure);
  }
}
