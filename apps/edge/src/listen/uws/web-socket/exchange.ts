// A WebSocket on uWebSockets.js. The engine speaks the protocol itself and hands over messages, while the proxy forwards bytes: so
// messages become a client's frames on their way to the upstream, and the upstream's frames become messages. Extensions are not offered
// to the upstream, because the engine would have to agree to them on its own.
//
// The engine cannot stop reading a WebSocket. While the upstream takes no more, messages wait here, up to a limit; a client beyond it
// is closed with 1013. Pings of a client are answered by the engine at once, and sent on so that the upstream knows it lives.
import type { us_socket_context_t } from "uWebSockets.js";
import type { Downstream } from "../../../exchange/downstream.ts";
import { noTrailers } from "../../../exchange/exchange.ts";
import { type ExchangeOwner, UwsExchange } from "../exchange.ts";
import { toWire } from "../field-text.ts";
import type { HttpResponse, NativeWebSocket } from "../native.ts";
import type { UwsRequestHead } from "../request.ts";
import { closePayload, encodeClientFrame, opcode } from "./frames.ts";
import { type FrameSink, ServerFrames } from "./server-frames.ts";

export interface WebSocketSource {
  readonly owner: ExchangeOwner;
  readonly downstream: Downstream;
  readonly head: UwsRequestHead;
  readonly res: HttpResponse;
  readonly context: us_socket_context_t;
  /** Most that may wait for the upstream. */
  readonly maxBufferBytes: number;
}

/** Bytes waiting for the client from which on the upstream is asked to stop. */
const highWaterBytes = 64 * 1024;
const tryAgainLater = 1013;
const protocolError = 1002;

/** Headers of a 101 that the engine writes itself, or that concern the upstream's connection alone. */
const engineHeaders = new Set([
  "connection",
  "upgrade",
  "date",
  "sec-websocket-accept",
  "sec-websocket-extensions",
  "sec-websocket-protocol",
]);

export class UwsWebSocketExchange extends UwsExchange implements FrameSink {
  private readonly context: us_socket_context_t;
  private readonly maxBufferBytes: number;
  private readonly frames: ServerFrames;
  private ws: NativeWebSocket | null;
  private isTunnel: boolean;
  /** A message to the client has begun and goes on in fragments. */
  private isInMessage: boolean;
  private isUpstreamFull: boolean;
  /** Frames for the upstream that wait until it takes more. */
  private waiting: Buffer[];
  private waitingBytes: number;
  /** The client has ended its side; it is told once what waits has gone. */
  private hasClientEnded: boolean;

  constructor({ owner, downstream, head, res, context, maxBufferBytes }: WebSocketSource) {
    super(owner, downstream, head, res);
    this.context = context;
    this.maxBufferBytes = maxBufferBytes;
    this.frames = new ServerFrames(this);
    this.ws = null;
    this.isTunnel = false;
    this.isInMessage = false;
    this.isUpstreamFull = false;
    this.waiting = [];
    this.waitingBytes = 0;
    this.hasClientEnded = false;
  }

  // --- towards the client ---

  override sendHead(status: number, headers: readonly string[], bodyLength: number): void {
    if (status !== 101) return super.sendHead(status, headers, bodyLength);
    if (!this.isOpen) return;
    this.isTunnel = true;
    this.res.cork(() => this.writeSwitch(headers));
    // Not in the cork, though the engine warns of it on standard error. Where it did cork, it looks at what was the response when the cork
    // ends, which is a WebSocket by then, in memory that was given back in part: it may find there that the connection is to be closed
    // (docs/adr/0001).
    if (this.isOpen) this.upgradeNow(headers);
  }

  private writeSwitch(headers: readonly string[]): void {
    const { res } = this;
    res.writeStatus("101 Switching Protocols");
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] ?? "";
      if (!engineHeaders.has(name)) res.writeHeader(name, toWire(headers[i + 1] ?? ""));
    }
  }

  private upgradeNow(headers: readonly string[]): void {
    const { res } = this;
    let protocol = "";
    for (let i = 0; i < headers.length; i += 2) {
      if (headers[i] === "sec-websocket-protocol") protocol = headers[i + 1] ?? "";
    }
    const key = this.header("sec-websocket-key") ?? "";
    res.upgrade<WebSocketData>({ exchange: this }, key, protocol, "", this.context);
  }

  override sendData(chunk: Uint8Array): boolean {
    if (!this.isTunnel) return super.sendData(chunk);
    const { ws } = this;
    if (ws === null) return true;
    let isValid = true;
    ws.cork(() => {
      isValid = this.frames.push(chunk);
    });
    if (!isValid) this.giveUp(protocolError, "the server does not speak WebSocket");
    return this.ws === null || this.ws.getBufferedAmount() < highWaterBytes;
  }

  /** The upstream's connection has ended. Without a close frame before, that is no orderly end (1006 for the client). */
  override sendEnd(): void {
    if (!this.isTunnel) super.sendEnd();
    else this.leave()?.close();
  }

  override flush(): void {
    if (!this.isTunnel) super.flush();
  }

  override reset(): void {
    if (!this.isTunnel) super.reset();
    else this.leave()?.close();
  }

  // --- what the upstream's frames say ---

  onMessagePart(isBinary: boolean, part: Uint8Array, isLast: boolean): void {
    const { ws, isInMessage } = this;
    this.isInMessage = !isLast;
    if (ws === null) return;
    if (isInMessage) {
      if (isLast) ws.sendLastFragment(part, false);
      else ws.sendFragment(part, false);
    } else if (isLast) ws.send(part, isBinary);
    else ws.sendFirstFragment(part, isBinary, false);
  }

  onPing(payload: Uint8Array): void {
    this.ws?.ping(payload);
  }

  onClose(code: number, reason: Uint8Array): void {
    const { ws } = this;
    if (ws === null) return;
    // Calls `closed` before it returns; the upstream gets its own code back, which is the answer it waits for.
    if (code === 1005) ws.end();
    else ws.end(code, reason);
  }

  // --- what the engine tells ---

  opened(ws: NativeWebSocket): void {
    this.ws = ws;
  }

  received(code: number, payload: ArrayBuffer): void {
    this.sendUp(encodeClientFrame(code, new Uint8Array(payload)));
  }

  drained(): void {
    if (this.ws !== null && this.ws.getBufferedAmount() < highWaterBytes) this.handler.onDownstreamDrain(this);
  }

  closed(code: number, reason: ArrayBuffer): void {
    if (this.leave() === null || this.isDone) return;
    if (code === 1006) return this.handler.onDownstreamAborted(this);
    this.sendUp(encodeClientFrame(opcode.close, closePayload(code, new Uint8Array(reason))));
    this.hasClientEnded = true;
    this.endWhenSent();
  }

  // --- towards the upstream ---

  override pauseBody(): void {
    this.isUpstreamFull = true;
  }

  override resumeBody(): void {
    if (!this.isTunnel) return super.resumeBody();
    this.isUpstreamFull = false;
    while (!this.isUpstreamFull && !this.isDone) {
      const frame = this.waiting.shift();
      if (frame === undefined) break;
      this.waitingBytes -= frame.length;
      this.handler.onRequestData(this, frame);
    }
    this.endWhenSent();
  }

  private sendUp(frame: Buffer): void {
    if (this.isDone) return;
    if (!this.isUpstreamFull) return this.handler.onRequestData(this, frame);
    this.waiting.push(frame);
    this.waitingBytes += frame.length;
    if (this.waitingBytes > this.maxBufferBytes) this.giveUp(tryAgainLater, "the server is too slow");
  }

  private endWhenSent(): void {
    if (this.hasClientEnded && this.waiting.length === 0 && !this.isDone) this.handler.onRequestEnd(this, noTrailers);
  }

  /** Tells the client why, and the proxy that it is gone. */
  private giveUp(code: number, reason: string): void {
    this.waiting = [];
    this.waitingBytes = 0;
    this.leave()?.end(code, reason);
    if (!this.isDone) this.handler.onDownstreamAborted(this);
  }

  /** The WebSocket for the last call on it, after which `closed` has nothing to tell any more; null when it has ended before. */
  private leave(): NativeWebSocket | null {
    const { ws } = this;
    if (ws === null) return null;
    this.ws = null;
    this.release();
    return ws;
  }
}

/** What the engine keeps for a WebSocket. */
export interface WebSocketData {
  readonly exchange: UwsWebSocketExchange;
}
