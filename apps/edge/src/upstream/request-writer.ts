// Puts requests on a socket: the head at the end of the event loop's turn, together with the first piece of the body where that comes by then, and the
// chunk framing. Whatever it is given of a body is written or copied before the call returns.
import type { Socket } from "node:net";
import type { RequestBody, UpstreamRequest } from "./send-request.ts";
import { allowedTrailers } from "../exchange/trailers.ts";
import { type Flushable, flushLater } from "../exchange/turn-end.ts";

/** Bytes waiting in a socket from which on callers are asked to stop. */
const writeHighWaterBytes = 64 * 1024;

const stagingBytes = 64 * 1024;
/** What leaves staging in one write; uWebSockets.js hands over eight times as much at once. */
const pieceBytes = 48 * 1024;

/**
 * Head and chunk are put together here, shared by all connections. A buffer the kernel did not take entirely belongs to the socket
 * from then on and is replaced; since only drained sockets write from it, a slow upstream holds one such buffer, not one a write.
 */
let staging = Buffer.allocUnsafeSlow(stagingBytes);

/** Size line and line end around a chunk: up to 14 hex digits and two CRLF. */
const maxChunkOverhead = 18;
const lastChunk = "0\r\n\r\n";

function lastChunkWith(trailers: readonly string[]): string {
  const fields = allowedTrailers(trailers);
  let text = "0\r\n";
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return `${text}\r\n`;
}

export class RequestWriter implements Flushable {
  /** The request has been handed to the socket entirely. */
  isComplete: boolean;
  private readonly socket: Socket;
  private readonly mayShare: boolean;
  private body: RequestBody;
  private heldHead: string;

  /** @param mayShare false where the socket holds on to what it is given although it counts as written (TLS) */
  constructor(socket: Socket, mayShare: boolean) {
    this.isComplete = true;
    this.socket = socket;
    this.mayShare = mayShare;
    this.body = "none";
    this.heldHead = "";
  }

  /** The request has begun, but nothing of it has been sent. */
  get isHeadHeld(): boolean {
    return this.heldHead !== "";
  }

  /** Sends the head, at the latest at the end of this turn of the event loop. */
  begin(request: UpstreamRequest): void {
    this.body = request.body;
    this.isComplete = request.body === "none";
    this.heldHead = request.head;
    flushLater(this);
  }

  flush(): void {
    if (this.heldHead === "") return;
    this.socket.write(this.heldHead, "latin1");
    this.heldHead = "";
  }

  /** `chunk` is not empty: in chunked framing that would be the end. Returns false when the socket has enough for now; its `drain` event tells when it takes more. */
  write(chunk: Uint8Array): boolean {
    let rest = chunk;
    // As long as the kernel takes it at once, a large chunk goes through staging piece by piece: a buffer of its size would be new memory each
    // time, which the kernel has to clear first.
    while (rest.length > pieceBytes && this.isDrained) {
      this.writePiece(rest.subarray(0, pieceBytes));
      rest = rest.subarray(pieceBytes);
    }
    return this.writePiece(rest);
  }

  private get isDrained(): boolean {
    return this.mayShare && this.socket.writableLength === 0 && !this.socket.connecting;
  }

  private writePiece(chunk: Uint8Array): boolean {
    const { socket, heldHead } = this;
    this.heldHead = "";
    const maxBytes = heldHead.length + chunk.length + maxChunkOverhead;
    const isShared = this.isDrained && maxBytes <= stagingBytes;
    const target = isShared ? staging : Buffer.allocUnsafeSlow(maxBytes);
    const end = this.frame(target, heldHead, chunk);
    socket.write(target.subarray(0, end));
    const queuedBytes = socket.writableLength;
    if (isShared && queuedBytes > 0) staging = Buffer.allocUnsafeSlow(stagingBytes);
    return queuedBytes < writeHighWaterBytes;
  }

  /** Trailers leave with a chunked body; other framings have no place for them. */
  end(trailers: readonly string[]): void {
    if (this.body === "upgrade") {
      this.flush();
      this.socket.end();
      return;
    }
    this.isComplete = true;
    if (this.body === "chunked") {
      this.socket.write(this.heldHead + (trailers.length === 0 ? lastChunk : lastChunkWith(trailers)), "latin1");
      this.heldHead = "";
    } else {
      this.flush();
    }
  }

  /** Nothing more is written. */
  stop(): void {
    this.heldHead = "";
  }

  private frame(target: Buffer, head: string, chunk: Uint8Array): number {
    let end = head === "" ? 0 : target.write(head, 0, "latin1");
    if (this.body === "chunked") end += target.write(`${chunk.length.toString(16)}\r\n`, end, "latin1");
    target.set(chunk, end);
    end += chunk.length;
    if (this.body === "chunked") end += target.write("\r\n", end, "latin1");
    return end;
  }
}
