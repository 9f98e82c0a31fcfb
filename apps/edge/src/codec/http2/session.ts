// The server's side of one HTTP/2 connection (RFC 9113): bytes in, events out; intents in, bytes out. No I/O and no clock of its own.
// Whoever has the socket gives it what was read, and sends what `takeOutput` returns at the end of the turn.
import { noTrailers } from "../../exchange/exchange.ts";
import { AnsweredStreams } from "./answered-streams.ts";
import { FloodGuard } from "./flood-guard.ts";
import {
  type ConnectionFault,
  defaultMaxFrameBytes,
  errorCode,
  type ErrorCode,
  flag,
  frameType,
  largestWindow,
  noPayload,
} from "./frame.ts";
import { type FrameEvents, FrameReader } from "./frame-reader.ts";
import { judgeFrame } from "./frame-rules.ts";
import { HeaderAssembly } from "./header-assembly.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import { OpenStreams } from "./open-streams.ts";
import { Output } from "./output.ts";
import { ReceiveWindows } from "./receive-windows.ts";
import { areWellFormedTrailers, isWellFormedRequest, readLength } from "./request-fields.ts";
import { Sender } from "./sender.ts";
import type { ResponseHead, SessionEvents, SessionLimits } from "./session-events.ts";
import { applySettings, initialPeerSettings, ourSettings } from "./settings.ts";
import { findStalled } from "./stalled-streams.ts";
import { Stream } from "./stream.ts";
import { StreamIds } from "./stream-ids.ts";

const decoderTableBytes = 4096;
/** What the PING carries whose answer tells that a client knows of our GOAWAY. */
const drainPing = Buffer.from("draining", "latin1");

export class Http2Session<Owner> implements FrameEvents {
  /** Header blocks, and frames beside them that are not DATA, which have come whole: where it has changed, `isInHead` speaks of another head. */
  completedCount = 0;
  readonly #events: SessionEvents<Owner>;
  readonly #limits: SessionLimits;
  readonly #reader: FrameReader;
  readonly #assembly: HeaderAssembly;
  readonly #decoder: HpackDecoder;
  readonly #encoder = new HpackEncoder();
  readonly #output = new Output();
  readonly #guard: FloodGuard;
  readonly #peer = initialPeerSettings();
  readonly #streams = new OpenStreams<Owner>();
  readonly #sender: Sender<Owner>;
  readonly #ids = new StreamIds();
  readonly #windows: ReceiveWindows;
  readonly #answered = new AnsweredStreams<Owner>();
  #hasSettings = false;
  #awaitsSettingsAck = true;
  #isDraining = false;
  #isBroken = false;
  /** Of the DATA frame being read: the stream, null where it is thrown away; what of it was no data. */
  #dataStream: Stream<Owner> | null = null;
  #paddingBytes = 0;
  #receivedBefore = 0;

  constructor(events: SessionEvents<Owner>, limits: SessionLimits, now: () => number) {
    this.#events = events;
    this.#limits = limits;
    this.#reader = new FrameReader(this);
    this.#assembly = new HeaderAssembly(2 * limits.maxHeadBytes + defaultMaxFrameBytes);
    this.#decoder = new HpackDecoder({ maxTableBytes: decoderTableBytes, maxListBytes: limits.maxHeadBytes });
    this.#guard = new FloodGuard(limits, now, (reason) => this.fail(errorCode.enhanceYourCalm, reason));
    this.#windows = new ReceiveWindows(this.#output, limits);
    this.#sender = new Sender<Owner>({
      output: this.#output,
      peer: this.#peer,
      events,
      onFrame: (length) => this.#guard.onDataFrameSent(length),
      onSent: (stream) => this.#finishLocal(stream),
    });
    this.#output.settings(ourSettings(limits));
    this.#windows.announce();
  }

  /** Streams that are open in either direction. */
  get streamCount(): number {
    return this.#streams.size;
  }

  /** A header block or a frame has begun and not ended: for its time limit. */
  get isInHead(): boolean {
    return !this.#isBroken && (this.#assembly.isOpen || this.#reader.isInSmallFrame);
  }

  receive(bytes: Buffer): void {
    this.#reader.execute(bytes);
  }

  /** Everything that has to be sent by now; null for nothing. */
  takeOutput(): Buffer | null {
    this.#sender.pump();
    return this.#output.length === 0 ? null : this.#output.take();
  }

  /** More has to be sent, one output later. */
  get hasMoreOutput(): boolean {
    return this.#sender.hasMore;
  }

  /** There are requests for `stopAnswered` to stop. */
  get hasAnswered(): boolean {
    return !this.#answered.isEmpty;
  }

  /** To be called at intervals: stops the rest of the requests that had been answered at the last call. */
  stopAnswered(): void {
    for (const stream of this.#answered.takeDue()) this.reset(stream, errorCode.noError);
  }

  /** The socket takes no more for now: bodies wait, the rest is small. */
  setBackedUp(isBackedUp: boolean): void {
    this.#sender.isBackedUp = isBackedUp;
  }

  sendHead(stream: Stream<Owner>, { status, fields, isLast }: ResponseHead): void {
    if (!this.#isOpen(stream)) return;
    this.#sendBlock(stream, this.#encoder.encode(status, fields), isLast);
    if (isLast) this.#finishLocal(stream);
  }

  /** A piece of the body; what cannot be sent yet is copied. False: wait for `onWritable`. */
  write(stream: Stream<Owner>, chunk: Uint8Array): boolean {
    return this.#isOpen(stream) ? this.#sender.write(stream, chunk) : true;
  }

  /** The body is complete. */
  end(stream: Stream<Owner>, trailers: readonly string[]): void {
    if (!this.#isOpen(stream)) return;
    stream.isLocalEnded = true;
    stream.trailers = trailers;
    this.#sender.end(stream);
  }

  /** Ends a stream for a reason of ours. No event follows. */
  reset(stream: Stream<Owner>, code: ErrorCode): void {
    if (this.#streams.get(stream.id) !== stream) return;
    this.#output.rstStream(stream.id, code);
    this.#ids.addReset(stream.id);
    this.#close(stream);
  }

  /**
   * Resets the streams whose answer is complete, but of which the client has taken nothing for so long: whoever gave us the answer has done with
   * it, so that nobody else would end them. True when there were any.
   */
  resetStalled(nowMs: number, limitMs: number): boolean {
    const stalled = findStalled(this.#streams.list(), nowMs, limitMs);
    for (const stream of stalled) {
      this.reset(stream, errorCode.cancel);
      this.#events.onReset(stream);
    }
    return stalled.length > 0;
  }

  /** What was handed on of this stream has been used: the client may send as much again. */
  release(stream: Stream<Owner>): void {
    const bytes = stream.heldBytes;
    if (bytes === 0 || this.#isBroken) return;
    stream.heldBytes = 0;
    if (this.#streams.get(stream.id) === stream) this.#windows.giveBackTo(stream, bytes);
    else this.#windows.giveBack(bytes);
  }

  /** Takes no new streams: the client is told, and those it opens before it knows are still served (RFC 9113, 6.8). */
  drain(): void {
    if (this.#isDraining || !this.#ids.servesAll || this.#isBroken) return;
    this.#isDraining = true;
    this.#output.goAway(largestWindow, errorCode.noError);
    this.#output.frame({ type: frameType.ping, flags: 0, streamId: 0 }, drainPing);
  }

  /** The client knows, or has had long enough to know. */
  finishDrain(): void {
    if (this.#isDraining) this.stopAccepting();
  }

  /** The streams that have a complete head are the last. False: they were already. */
  stopAccepting(): boolean {
    if (!this.#ids.servesAll || this.#isBroken) return false;
    this.#ids.acceptedUpTo = this.#ids.last;
    this.#output.goAway(this.#ids.last, errorCode.noError);
    if (this.#streams.size === 0) this.#events.onDrained();
    return true;
  }

  /** Reads nothing more, for nothing more can come: what has begun is answered, then the connection ends. */
  stopReading(): void {
    this.#reader.stop();
    this.stopAccepting();
  }

  /** Gives the connection up. */
  fail(code: ErrorCode, reason: string): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#reader.stop();
    this.#output.goAway(this.#ids.lastServed, code);
    this.closeAll();
    this.#events.onFault({ code, reason });
  }

  /** The socket is gone, or is about to be. */
  closeAll(): void {
    this.#isBroken = true;
    this.#reader.stop();
    for (const stream of this.#streams.list()) {
      this.#streams.delete(stream);
      this.#sender.forget(stream);
      this.#events.onReset(stream);
    }
  }

  onFrameFault(code: ErrorCode, reason: string): void {
    this.fail(code, reason);
  }

  onFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (!this.#hasSettings && type !== frameType.settings) return this.#protocolError("no SETTINGS behind the preface");
    if (this.#assembly.isOpen && type !== frameType.continuation) {
      return this.#protocolError("a frame inside a header block");
    }
    if (type !== frameType.headers && type !== frameType.continuation) this.completedCount++;
    const fault = judgeFrame(type, flags, { streamId, length: payload.length });
    if (fault !== null) return this.fail(fault.code, fault.reason);
    switch (type) {
      case frameType.headers:
        return this.#onHeaderPart(this.#assembly.headers(streamId, flags, payload));
      case frameType.continuation:
        return this.#onHeaderPart(this.#assembly.continuation(streamId, flags, payload));
      case frameType.priority:
        return this.#onPriority(streamId, payload);
      case frameType.rstStream:
        return this.#onRstStream(streamId, payload.length);
      case frameType.settings:
        return this.#onSettings(flags, payload);
      case frameType.ping:
        return this.#onPing(flags, payload);
      case frameType.goAway:
        // The client opens no more streams; those it has go on.
        return this.#guard.countIdleFrame(payload.length);
      case frameType.windowUpdate:
        return this.#onWindowUpdate(streamId, payload);
      default:
        // Unknown frames are ignored (RFC 9113, 4.1), but not for nothing.
        return this.#guard.countIdleFrame(payload.length);
    }
  }

  onDataFrame(streamId: number, length: number): void {
    this.#dataStream = null;
    this.#paddingBytes = length;
    if (!this.#hasSettings || this.#assembly.isOpen || streamId === 0) {
      return this.#protocolError("DATA where none may be");
    }
    if (this.#ids.isIdle(streamId)) return this.#protocolError("DATA on an idle stream");
    if (!this.#windows.take(length)) return this.fail(errorCode.flowControlError, "more DATA than its window");
    const stream = this.#streams.get(streamId);
    if (stream === null || stream.isRemoteEnded) return this.#onLateData(streamId, stream);
    stream.receiveWindow -= length;
    // A frame that holds nothing needs no window, not even where ours has shrunk below what was under way (RFC 9113, 6.9).
    if (stream.receiveWindow < 0 && length > 0) return this.#streamError(streamId, errorCode.flowControlError);
    this.#dataStream = stream;
    this.#receivedBefore = stream.receivedBytes;
  }

  onDataPiece(_streamId: number, chunk: Buffer): void {
    const stream = this.#dataStream;
    // What is thrown away is given back with the padding.
    if (stream === null) return;
    this.#paddingBytes -= chunk.length;
    stream.heldBytes += chunk.length;
    stream.receivedBytes += chunk.length;
    if (stream.announcedBytes >= 0 && stream.receivedBytes > stream.announcedBytes) {
      return this.#streamError(stream.id, errorCode.protocolError);
    }
    this.#events.onData(stream, chunk);
  }

  onDataFrameEnd(_streamId: number, isLast: boolean): void {
    const stream = this.#dataStream;
    this.#dataStream = null;
    if (stream !== null) this.#guard.onDataFrame(stream.receivedBytes - this.#receivedBefore, isLast);
    // Padding, and data that nobody wants, is used up at once.
    if (this.#paddingBytes > 0 && !this.#isBroken) {
      if (stream === null) this.#windows.giveBack(this.#paddingBytes);
      else this.#windows.giveBackTo(stream, this.#paddingBytes);
    }
    if (stream !== null && isLast && !this.#isBroken) this.#endRemote(stream, noTrailers);
  }

  #onHeaderPart(fault: ConnectionFault | null): void {
    if (fault !== null) return this.fail(fault.code, fault.reason);
    const { block, dependsOnItself, endsStream, streamId } = this.#assembly;
    if (block === null) return;
    this.#assembly.close();
    this.completedCount++;
    // Also the blocks of streams that are not served: the tables of both sides must stay in step.
    const fields = this.#decoder.decode(block);
    if (fields === "broken") return this.fail(errorCode.compressionError, "a header block that cannot be read");
    if (fields === "bomb")
      return this.fail(errorCode.enhanceYourCalm, "a header block that stands for a far larger list");
    const stream = this.#streams.get(streamId);
    if (stream !== null) return this.#onTrailers(stream, fields, endsStream);
    if (streamId <= this.#ids.last) return this.#onLateHeaders(streamId, block.length);
    this.#ids.open(streamId);
    if (streamId > this.#ids.acceptedUpTo) return this.#guard.countIdleFrame(block.length);
    this.#guard.onUsefulFrame(block.length);
    if (this.#streams.size >= this.#limits.maxConcurrentStreams)
      return this.#streamError(streamId, errorCode.refusedStream);
    if (dependsOnItself) return this.#streamError(streamId, errorCode.protocolError);
    this.#open(streamId, fields, endsStream);
  }

  #open(id: number, fields: readonly string[] | "too-large", isLast: boolean): void {
    const announcedBytes = fields === "too-large" ? -1 : readLength(fields);
    const isMalformed = fields !== "too-large" && (announcedBytes === null || !isWellFormedRequest(fields));
    if (isMalformed || (isLast && (announcedBytes ?? 0) > 0)) return this.#streamError(id, errorCode.protocolError);
    const stream = new Stream<Owner>(id, {
      sendWindow: this.#peer.initialWindow,
      receiveWindow: this.#windows.initial,
    });
    stream.isRemoteEnded = isLast;
    stream.announcedBytes = announcedBytes ?? -1;
    this.#streams.add(stream);
    this.#guard.onStreamOpened();
    if (fields === "too-large") this.#events.onHeadTooLarge(stream);
    else this.#events.onRequest(stream, fields, isLast);
  }

  #onTrailers(stream: Stream<Owner>, fields: readonly string[] | "too-large", isLast: boolean): void {
    if (stream.isRemoteEnded) return this.#streamError(stream.id, errorCode.streamClosed);
    if (!isLast || fields === "too-large" || !areWellFormedTrailers(fields)) {
      return this.#streamError(stream.id, errorCode.protocolError);
    }
    this.#endRemote(stream, fields);
  }

  /** HEADERS on a stream that has ended: trailers that crossed our reset or GOAWAY, or a client that has lost count. */
  #onLateHeaders(streamId: number, length: number): void {
    if (this.#ids.isUnderWay(streamId)) return this.#guard.countIdleFrame(length);
    if (this.#ids.wasSkipped(streamId)) return this.#protocolError("HEADERS of a lower stream than those before");
    this.fail(errorCode.streamClosed, "HEADERS on a closed stream");
  }

  #onLateData(streamId: number, stream: Stream<Owner> | null): void {
    // Bounded by the window like any other DATA, however much of it there is.
    if (this.#ids.isUnderWay(streamId)) return this.#guard.countIdleFrame(0);
    if (stream !== null) return this.#streamError(streamId, errorCode.streamClosed);
    this.#output.rstStream(streamId, errorCode.streamClosed);
    this.#ids.addReset(streamId);
    this.#guard.countReset();
  }

  #onPriority(streamId: number, payload: Buffer): void {
    const isSelf = payload.length === 5 && (payload.readUInt32BE(0) & 0x7fffffff) === streamId;
    if (payload.length === 5 && !isSelf) return this.#guard.countControlFrame();
    const code = isSelf ? errorCode.protocolError : errorCode.frameSizeError;
    // On a stream that is not open a reset would be a mistake of ours.
    if (this.#streams.get(streamId) !== null) this.#streamError(streamId, code);
    else this.fail(code, "a PRIORITY that is none");
  }

  #onRstStream(streamId: number, length: number): void {
    if (this.#ids.isIdle(streamId)) return this.#protocolError("RST_STREAM on an idle stream");
    const stream = this.#streams.get(streamId);
    if (stream === null) return this.#guard.countIdleFrame(length);
    this.#close(stream);
    this.#events.onReset(stream);
    this.#guard.countReset();
  }

  #onSettings(flags: number, payload: Buffer): void {
    if ((flags & flag.ack) !== 0) return this.#onSettingsAck();
    this.#hasSettings = true;
    const before = this.#peer.initialWindow;
    const fault = applySettings(payload, this.#peer);
    if (fault !== null) return this.fail(fault.code, fault.reason);
    this.#encoder.limitTable(this.#peer.headerTableBytes);
    this.#output.frame({ type: frameType.settings, flags: flag.ack, streamId: 0 }, noPayload);
    this.#guard.countControlFrame();
    this.#changeSendWindows(this.#peer.initialWindow - before);
  }

  #onSettingsAck(): void {
    if (!this.#hasSettings || !this.#awaitsSettingsAck)
      return this.#protocolError("an acknowledgement of SETTINGS that were not sent");
    this.#awaitsSettingsAck = false;
    this.#windows.onSettingsAcknowledged(this.#streams.list());
  }

  /** RFC 9113, 6.9.2: also of streams that are open; a window may become negative. */
  #changeSendWindows(delta: number): void {
    if (delta === 0 || this.#isBroken) return;
    for (const stream of this.#streams.list()) {
      stream.sendWindow += delta;
      if (stream.sendWindow > largestWindow) return this.fail(errorCode.flowControlError, "a window too large");
      this.#sender.onWindow(stream);
    }
  }

  #onPing(flags: number, payload: Buffer): void {
    this.#guard.countIdleFrame(payload.length);
    if (this.#isBroken) return;
    if ((flags & flag.ack) === 0) this.#output.frame({ type: frameType.ping, flags: flag.ack, streamId: 0 }, payload);
    else if (payload.equals(drainPing)) this.finishDrain();
  }

  #onWindowUpdate(streamId: number, payload: Buffer): void {
    if (this.#ids.isIdle(streamId)) return this.#protocolError("WINDOW_UPDATE on an idle stream");
    this.#guard.countWindowUpdate();
    if (this.#isBroken) return;
    const increment = payload.readUInt32BE(0) & 0x7fffffff;
    if (streamId === 0) {
      if (increment === 0) return this.#protocolError("WINDOW_UPDATE by nothing");
      if (!this.#sender.widen(increment)) this.fail(errorCode.flowControlError, "a window too large");
      return;
    }
    const stream = this.#streams.get(streamId);
    if (stream === null) return;
    if (increment === 0) return this.#streamError(streamId, errorCode.protocolError);
    stream.sendWindow += increment;
    if (stream.sendWindow > largestWindow) return this.#streamError(streamId, errorCode.flowControlError);
    this.#sender.onWindow(stream);
  }

  #endRemote(stream: Stream<Owner>, trailers: readonly string[]): void {
    if (stream.announcedBytes >= 0 && stream.receivedBytes !== stream.announcedBytes) {
      return this.#streamError(stream.id, errorCode.protocolError);
    }
    stream.isRemoteEnded = true;
    this.#events.onEnd(stream, trailers);
    if (stream.isSent) this.#close(stream);
  }

  /** Our side of the stream has been sent to its end. */
  #finishLocal(stream: Stream<Owner>): void {
    if (!stream.isLocalEnded) stream.isLocalEnded = true;
    else if (stream.trailers.length > 0) this.#sendBlock(stream, this.#encoder.encode(0, stream.trailers), true);
    else this.#output.endStream(stream.id);
    stream.isSent = true;
    if (stream.isRemoteEnded) this.#close(stream);
    else if (!stream.isTunnel) this.#answered.add(stream);
  }

  #sendBlock(stream: Stream<Owner>, block: Uint8Array, isLast: boolean): void {
    this.#output.headers(stream.id, block, { isLast, maxFrameBytes: this.#peer.maxFrameBytes });
  }

  #close(stream: Stream<Owner>): void {
    if (!this.#streams.delete(stream)) return;
    // What else comes of the frame being read is thrown away.
    if (this.#dataStream === stream) this.#dataStream = null;
    this.#sender.forget(stream);
    // Nobody will say any more that it has been used.
    if (stream.heldBytes > 0 && !this.#isBroken) this.#windows.giveBack(stream.heldBytes);
    stream.heldBytes = 0;
    const isDrained = this.#streams.size === 0 && !this.#ids.servesAll && !this.#isBroken;
    if (isDrained) this.#events.onDrained();
  }

  /** The client has broken the rules on one stream. Resets it provokes count like its own. */
  #streamError(streamId: number, code: ErrorCode): void {
    if (this.#isBroken) return;
    this.#output.rstStream(streamId, code);
    this.#ids.addReset(streamId);
    const stream = this.#streams.get(streamId);
    if (stream !== null) {
      this.#close(stream);
      this.#events.onReset(stream);
    }
    this.#guard.countReset();
  }

  #isOpen(stream: Stream<Owner>): boolean {
    return !this.#isBroken && !stream.isLocalEnded && this.#streams.get(stream.id) === stream;
  }

  #protocolError(reason: string): void {
    this.fail(errorCode.protocolError, reason);
  }
}
