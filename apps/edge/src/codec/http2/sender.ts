// Bodies on their way out: as much as the windows of stream and connection allow, stream after stream, a frame each in turn, so that a large
// answer does not keep a small one waiting (RFC 9113, 5.2).
import { copyPooled, givePooled } from "../pooled-buffer.ts";
import { defaultMaxFrameBytes, defaultWindow, largestWindow } from "./frame.ts";
import type { Output } from "./output.ts";
import type { SessionEvents } from "./session-events.ts";
import type { PeerSettings } from "./settings.ts";
import type { Stream } from "./stream.ts";

/** What gathers in one turn before bodies wait for the socket to take it. */
const maxGatheredBytes = 256 * 1024;

export interface SenderOptions<Owner> {
  readonly output: Output;
  readonly peer: PeerSettings;
  readonly events: Pick<SessionEvents<Owner>, "onFull" | "onWritable">;
  /** A DATA frame was written. */
  readonly onFrame: (length: number) => void;
  /** Everything of a stream that has been ended is out but its end. */
  readonly onSent: (stream: Stream<Owner>) => void;
}

export class Sender<Owner> {
  /** The socket takes no more. */
  isBackedUp = false;
  readonly #options: SenderOptions<Owner>;
  #window = defaultWindow;
  /** Streams that have something to send and a window for it, in turn. */
  #round: Stream<Owner>[] = [];

  constructor(options: SenderOptions<Owner>) {
    this.#options = options;
  }

  write(stream: Stream<Owner>, chunk: Uint8Array): boolean {
    let position = 0;
    if (!this.isBackedUp && !this.#mayGather()) this.#options.events.onFull();
    if (stream.queuedBytes === 0 && this.#round.length === 0) {
      while (position < chunk.length && this.#mayGather()) {
        const count = this.#allowed(stream, chunk.length - position);
        if (count === 0) break;
        this.#send(stream, chunk.subarray(position, position + count));
        position += count;
      }
    }
    if (position === chunk.length) return true;
    (stream.queue ??= []).push(copyPooled(chunk.subarray(position)));
    stream.queuedBytes += chunk.length - position;
    stream.isBlocked = true;
    this.onWindow(stream);
    return false;
  }

  end(stream: Stream<Owner>): void {
    if (stream.queuedBytes === 0) this.#options.onSent(stream);
  }

  /** The stream's window may have grown. */
  onWindow(stream: Stream<Owner>): void {
    if (stream.isScheduled || stream.queuedBytes === 0 || stream.sendWindow <= 0) return;
    stream.isScheduled = true;
    this.#round.push(stream);
  }

  /** The connection's window grows; false when it grows too large. */
  widen(increment: number): boolean {
    this.#window += increment;
    return this.#window <= largestWindow;
  }

  forget(stream: Stream<Owner>): void {
    if (stream.queue !== null) for (const chunk of stream.queue) givePooled(chunk);
    stream.queue = null;
    stream.queuedBytes = 0;
    if (stream.isScheduled) this.#round = this.#round.filter((other) => other !== stream);
    stream.isScheduled = false;
  }

  /** Something could be sent at once; more gathered in this turn than one write should hold. */
  get hasMore(): boolean {
    return this.#round.length > 0 && this.#window > 0 && !this.isBackedUp;
  }

  /** Sends what waits, a frame a stream and turn. */
  pump(): void {
    while (this.#round.length > 0 && this.#window > 0 && this.#mayGather()) {
      const stream = this.#round.shift();
      if (stream === undefined) return;
      stream.isScheduled = false;
      this.#sendNext(stream);
      if (stream.queuedBytes > 0) this.onWindow(stream);
      else this.#emptied(stream);
    }
  }

  #sendNext(stream: Stream<Owner>): void {
    const { queue } = stream;
    const chunk = queue?.[0];
    if (queue === null || chunk === undefined) return;
    const count = this.#allowed(stream, chunk.length);
    if (count === 0) return;
    this.#send(stream, chunk.subarray(0, count));
    stream.queuedBytes -= count;
    if (count < chunk.length) {
      queue[0] = chunk.subarray(count);
      return;
    }
    queue.shift();
    givePooled(chunk);
  }

  #emptied(stream: Stream<Owner>): void {
    if (stream.isLocalEnded) return this.#options.onSent(stream);
    if (!stream.isBlocked) return;
    stream.isBlocked = false;
    this.#options.events.onWritable(stream);
  }

  #send(stream: Stream<Owner>, chunk: Uint8Array): void {
    this.#options.output.data(stream.id, chunk, false);
    this.#options.onFrame(chunk.length);
    stream.sendWindow -= chunk.length;
    stream.stalledSinceMs = 0;
    this.#window -= chunk.length;
  }

  /** Frames stay at the smallest size anybody may set: fair, and no larger than a TLS record. */
  #allowed(stream: Stream<Owner>, wanted: number): number {
    const most = Math.min(
      wanted,
      stream.sendWindow,
      this.#window,
      defaultMaxFrameBytes,
      this.#options.peer.maxFrameBytes,
    );
    return Math.max(0, most);
  }

  #mayGather(): boolean {
    return !this.isBackedUp && this.#options.output.length < maxGatheredBytes;
  }
}
