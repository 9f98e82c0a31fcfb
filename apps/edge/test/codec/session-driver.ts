// One HTTP/2 session without a socket: what it was given, what it told, what it sent.
import { type Frame, framesOf, preface, settings } from "@sluice/http2-frames";
import { Http2Session } from "../../src/codec/http2/session.ts";
import type { ConnectionFault } from "../../src/codec/http2/frame.ts";
import type { SessionEvents, SessionLimits } from "../../src/codec/http2/session-events.ts";
import type { Stream } from "../../src/codec/http2/stream.ts";

export interface SeenRequest {
  readonly stream: number;
  readonly fields: readonly string[];
  body: string;
  trailers: readonly string[] | null;
  isReset: boolean;
}

export type TestStream = Stream<SeenRequest>;

export const sessionLimits: SessionLimits = {
  maxConcurrentStreams: 100,
  maxHeadBytes: 16_384,
  maxResetStreamsPerMinute: 500,
  maxControlFramesPerMinute: 1000,
  streamBufferBytes: 65_536,
  connectionBufferBytes: 1_048_576,
};

export class SessionDriver implements SessionEvents<SeenRequest> {
  readonly session: Http2Session<SeenRequest>;
  readonly requests: SeenRequest[] = [];
  readonly streams: TestStream[] = [];
  readonly tooLarge: TestStream[] = [];
  fault: ConnectionFault | null = null;
  drainedCount = 0;
  writableCount = 0;
  fullCount = 0;
  nowMs = 0;
  #sent: Buffer = Buffer.alloc(0);
  /** What becomes of a request that is complete. */
  onComplete: (stream: TestStream) => void;
  onPiece: (stream: TestStream) => void = (stream) => this.session.release(stream);

  constructor(onComplete: (stream: TestStream) => void = () => undefined, limits: Partial<SessionLimits> = {}) {
    this.onComplete = onComplete;
    this.session = new Http2Session<SeenRequest>(this, { ...sessionLimits, ...limits }, () => this.nowMs);
  }

  /** Behind preface and SETTINGS. */
  static open(onComplete?: (stream: TestStream) => void, limits?: Partial<SessionLimits>): SessionDriver {
    const driver = new SessionDriver(onComplete, limits);
    driver.receive(preface, settings());
    return driver;
  }

  receive(...parts: readonly Buffer[]): void {
    for (const part of parts) this.session.receive(part);
  }

  /** A turn of the event loop has passed, and the time that clients have to read an answer before their request is stopped. */
  turn(): void {
    do {
      this.session.stopAnswered();
      const output = this.session.takeOutput();
      if (output !== null) this.#sent = Buffer.concat([this.#sent, output]);
    } while (this.session.hasMoreOutput || this.session.hasAnswered);
  }

  /** All frames sent so far. */
  get frames(): Frame[] {
    this.turn();
    return framesOf(this.#sent);
  }

  /** Forgets what was sent. */
  takeFrames(): Frame[] {
    const { frames } = this;
    this.#sent = Buffer.alloc(0);
    return frames;
  }

  respond(stream: TestStream, body: string): void {
    this.session.sendHead(stream, { status: 200, fields: ["x-id", String(stream.id)], isLast: body === "" });
    if (body === "") return;
    this.session.write(stream, Buffer.from(body));
    this.session.end(stream, []);
  }

  onRequest(stream: TestStream, fields: readonly string[], isLast: boolean): void {
    stream.owner = { stream: stream.id, fields, body: "", trailers: null, isReset: false };
    this.requests.push(stream.owner);
    this.streams.push(stream);
    if (isLast) this.#complete(stream, []);
  }

  onHeadTooLarge(stream: TestStream): void {
    this.tooLarge.push(stream);
    this.session.sendHead(stream, { status: 431, fields: [], isLast: true });
  }

  onData(stream: TestStream, chunk: Buffer): void {
    if (stream.owner !== null) stream.owner.body += chunk.toString("latin1");
    this.onPiece(stream);
  }

  onEnd(stream: TestStream, trailers: readonly string[]): void {
    this.#complete(stream, trailers);
  }

  onReset(stream: TestStream): void {
    if (stream.owner !== null) stream.owner.isReset = true;
  }

  onWritable(): void {
    this.writableCount++;
  }

  onFault(fault: ConnectionFault): void {
    this.fault = fault;
  }

  onFull(): void {
    this.fullCount++;
  }

  onDrained(): void {
    this.drainedCount++;
  }

  #complete(stream: TestStream, trailers: readonly string[]): void {
    if (stream.owner !== null) stream.owner.trailers = trailers;
    this.onComplete(stream);
  }
}
