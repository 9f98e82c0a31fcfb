// What clients may send: the windows of streams and of the connection, and how they are given back (RFC 9113, 5.2 and 6.9). A window grows
// only by what has really been used, so that a slow upstream holds its own client back and nobody else. It is given back when that is as much as
// the client has left: half a window where nothing is held, ever less where slow streams hold most of it, so that the others go on.
import { defaultWindow } from "./frame.ts";
import type { Output } from "./output.ts";
import type { Stream } from "./stream.ts";

export class ReceiveWindows {
  readonly #output: Output;
  readonly #connectionBytes: number;
  readonly #streamBytes: number;
  #connection: number;
  #released = 0;
  /** Of a new stream: ours once the client has acknowledged our settings, the default before. */
  #initial = defaultWindow;

  constructor(output: Output, limits: { readonly streamBufferBytes: number; readonly connectionBufferBytes: number }) {
    this.#output = output;
    this.#streamBytes = limits.streamBufferBytes;
    // It cannot be made smaller than it begins.
    this.#connectionBytes = Math.max(defaultWindow, limits.connectionBufferBytes);
    this.#connection = this.#connectionBytes;
  }

  /** Widens the connection's window to ours. */
  announce(): void {
    if (this.#connectionBytes > defaultWindow) this.#output.windowUpdate(0, this.#connectionBytes - defaultWindow);
  }

  get initial(): number {
    return this.#initial;
  }

  /** The client has taken on our settings; `streams` are those it opened before. */
  onSettingsAcknowledged(streams: Iterable<Stream<unknown>>): void {
    const delta = this.#streamBytes - this.#initial;
    if (delta === 0) return;
    this.#initial = this.#streamBytes;
    for (const stream of streams) stream.receiveWindow += delta;
  }

  /** `bytes` have come; false when that is more than the connection allows. */
  take(bytes: number): boolean {
    this.#connection -= bytes;
    if (this.#connection < 0) return false;
    // What has been used may have become as much as is left: those who hold the rest need not be who used it.
    if (this.#released > 0) this.giveBack(0);
    return true;
  }

  /** `bytes` that were taken have been used, for whatever stream. */
  giveBack(bytes: number): void {
    this.#released += bytes;
    if (this.#released < this.#connection) return;
    this.#connection += this.#released;
    this.#output.windowUpdate(0, this.#released);
    this.#released = 0;
  }

  /** The same for a stream that takes more. */
  giveBackTo(stream: Stream<unknown>, bytes: number): void {
    this.giveBack(bytes);
    if (stream.isRemoteEnded) return;
    stream.releasedBytes += bytes;
    if (stream.releasedBytes < stream.receiveWindow) return;
    stream.receiveWindow += stream.releasedBytes;
    this.#output.windowUpdate(stream.id, stream.releasedBytes);
    stream.releasedBytes = 0;
  }
}
