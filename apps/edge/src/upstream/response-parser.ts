// The HTTP/1.1 response parser: bytes in, events out, no I/O. It owns the framing of one connection: which bytes are head, body and
// trailers, and whether the connection is still in a known state after the response.
import { noTrailers } from "../exchange/exchange.ts";
import { CR, LF } from "../codec/char-class.ts";
import { ChunkDecoder } from "../codec/chunk-decoder.ts";
import { HeadCollector } from "../codec/head-collector.ts";
import { type ParseFault, parseFields, parseResponseHead, ResponseHead } from "./response-head.ts";
import { allowedTrailers } from "../exchange/trailers.ts";

/** Called from inside `execute`. Any of them may set `isPaused` or call `stop`. */
export interface ResponseEvents {
  onInformational(status: number, headers: string[]): void;
  /** `bodyLength`: bytes announced, 0 for none, -1 when only the end of the body tells. */
  onHead(status: number, headers: string[], bodyLength: number): void;
  /** A view into the bytes given to `execute`. */
  onBody(chunk: Uint8Array): void;
}

const defaultMaxHeadBytes = 64 * 1024;
const maxTrailerBytes = 8 * 1024;
const lineEnd = Buffer.from("\r\n", "latin1");

type State = "head" | "length" | "chunked" | "trailers" | "untilClose" | "done" | "stopped";

/** One a connection, used for one response after the other: `begin`, `execute`..., `isDone`, `begin`... */
export class ResponseParser {
  /** While true `execute` makes no calls and takes no bytes. */
  isPaused: boolean;
  /** The final (not 1xx) head has been handed on. */
  hasHead: boolean;
  /** What followed the last chunk and may travel on, flat; empty when there was nothing. */
  trailers: readonly string[];
  /** The response was refused: the connection is of no further use. */
  fault: ParseFault | null;
  private readonly events: ResponseEvents;
  private readonly head: ResponseHead;
  private readonly collector: HeadCollector;
  private readonly trailerCollector: HeadCollector;
  private readonly chunks: ChunkDecoder;
  private state: State;
  private remaining: number;
  private isHeadRequest: boolean;
  private isUpgrade: boolean;
  private isPersistent: boolean;

  constructor(events: ResponseEvents, maxHeadBytes: number = defaultMaxHeadBytes) {
    this.isPaused = false;
    this.hasHead = false;
    this.trailers = noTrailers;
    this.fault = null;
    this.events = events;
    this.head = new ResponseHead();
    this.collector = new HeadCollector(maxHeadBytes);
    this.trailerCollector = new HeadCollector(maxTrailerBytes);
    this.chunks = new ChunkDecoder();
    this.state = "stopped";
    this.remaining = 0;
    this.isHeadRequest = false;
    this.isUpgrade = false;
    this.isPersistent = false;
  }

  /** The response is complete. */
  get isDone(): boolean {
    return this.state === "done";
  }

  /** Whether the upstream keeps the connection open after this response. Meaningful once `isDone`. */
  get canReuse(): boolean {
    return this.isPersistent;
  }

  /** Expect a response. The answer to HEAD has no body whatever its head says. With `isUpgrade` 101 is one, too. */
  begin(isHeadRequest: boolean, isUpgrade = false): void {
    this.isPaused = false;
    this.hasHead = false;
    this.fault = null;
    this.state = "head";
    this.isHeadRequest = isHeadRequest;
    this.isUpgrade = isUpgrade;
    this.trailers = noTrailers;
    this.isPersistent = false;
    this.collector.reset();
    this.trailerCollector.reset();
  }

  /** No further event, whatever comes. */
  stop(): void {
    this.state = "stopped";
  }

  /**
   * Reads `bytes[start, end)`. Returns the index behind the last byte used: less than `end` when the response is done, paused,
   * stopped or at fault.
   */
  execute(bytes: Buffer, start: number, end: number): number {
    let position = start;
    while (position < end && !this.isPaused && this.fault === null) {
      switch (this.state) {
        case "head":
          position = this.readHead(bytes, position, end);
          break;
        case "length":
          position = this.readLength(bytes, position, end);
          break;
        case "chunked":
          position = this.readChunked(bytes, position, end);
          break;
        case "trailers":
          position = this.readTrailers(bytes, position, end);
          break;
        case "untilClose":
          this.events.onBody(bytes.subarray(position, end));
          return end;
        case "done":
        case "stopped":
          return position;
      }
    }
    return position;
  }

  /** The upstream has closed. Returns whether that was this body's proper end; otherwise the response is cut short. */
  finish(): boolean {
    if (this.state === "untilClose") this.state = "done";
    return this.state === "done";
  }

  private readHead(bytes: Buffer, start: number, end: number): number {
    const { collector, head } = this;
    const text = collector.take(bytes, start, end);
    if (text === null) {
      if (collector.isTooLarge) this.fault = "head too large";
      return collector.position;
    }
    this.fault = parseResponseHead(text, head);
    if (this.fault === null && head.status === 101) this.fault = this.isUpgrade ? switchFault(head) : "unexpected 101";
    if (this.fault !== null) return collector.position;
    if (head.status < 200 && head.status !== 101) this.events.onInformational(head.status, head.headers);
    else this.beginBody(head);
    return collector.position;
  }

  /** Picks the framing (RFC 9112 6.3) before the event, so that the state is right whatever the event does. */
  private beginBody(head: ResponseHead): void {
    const { status, contentLength } = head;
    let isUntilClose = false;
    let bodyLength = head.isChunked ? -1 : contentLength;
    if (status === 101) {
      // From here on the bytes are another protocol's (RFC 9110 7.8).
      this.state = "untilClose";
      isUntilClose = true;
    } else if (this.isHeadRequest || status === 304 || status === 204) {
      this.state = "done";
      if (status === 204) bodyLength = 0;
    } else if (head.isChunked) {
      this.state = "chunked";
      this.chunks.reset();
    } else if (contentLength >= 0) {
      this.state = contentLength === 0 ? "done" : "length";
      this.remaining = contentLength;
    } else {
      this.state = "untilClose";
      isUntilClose = true;
    }
    // A 204 that announces a body may well send one. It is no part of the response, but would be read as the next one.
    const isDubious = status === 204 && (head.isChunked || contentLength > 0);
    this.isPersistent = !isUntilClose && !isDubious && !head.hasClose && (!head.isHttp10 || head.hasKeepAlive);
    this.hasHead = true;
    this.events.onHead(status, head.headers, bodyLength);
  }

  private readLength(bytes: Buffer, start: number, end: number): number {
    const count = Math.min(this.remaining, end - start);
    this.remaining -= count;
    if (this.remaining === 0) this.state = "done";
    this.events.onBody(bytes.subarray(start, start + count));
    return start + count;
  }

  private readChunked(bytes: Buffer, start: number, end: number): number {
    const { chunks } = this;
    const position = chunks.readFraming(bytes, start, end);
    this.fault = chunks.fault;
    if (chunks.isLast) this.state = "trailers";
    if (this.fault !== null || chunks.remaining === 0 || position === end) return position;
    const count = Math.min(chunks.remaining, end - position);
    chunks.consume(count);
    this.events.onBody(bytes.subarray(position, position + count));
    return position + count;
  }

  /** Trailers are checked, and those that would change what the head said are dropped. */
  private readTrailers(bytes: Buffer, start: number, end: number): number {
    const { trailerCollector } = this;
    if (trailerCollector.isEmpty) {
      if (start + 1 < end && bytes[start] === CR && bytes[start + 1] === LF) {
        this.state = "done";
        return start + 2;
      }
      // With the last chunk's own line end in front, "no trailers" and "trailers" end alike, in an empty line.
      trailerCollector.take(lineEnd, 0, 2);
    }
    const text = trailerCollector.take(bytes, start, end);
    if (text === null) {
      if (trailerCollector.isTooLarge) this.fault = "trailers too large";
      return trailerCollector.position;
    }
    const trailers = new ResponseHead();
    this.fault = parseFields(text, 2, trailers);
    if (trailers.isChunked || trailers.contentLength >= 0) this.fault = "framing in trailers";
    if (this.fault === null) {
      this.trailers = allowedTrailers(trailers.headers);
      this.state = "done";
    }
    return trailerCollector.position;
  }
}

/** A 101 that also announces a body: the reader behind would not know which bytes are whose. */
function switchFault(head: ResponseHead): ParseFault | null {
  return head.isChunked || head.contentLength > 0 ? "framing in 101" : null;
}
