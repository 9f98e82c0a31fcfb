// An exchange over HTTP/1.1 on our own codec. Head and first piece of body leave in one write.
import { LastHead } from "../../../codec/last-head.ts";
import { fieldLine, statusLine } from "../../../codec/http1/response-head.ts";
import type { Http1RequestHead } from "../../../codec/http1/request-head.ts";
import type { Downstream } from "../../../exchange/downstream.ts";
import { Exchange, type ExchangeHandler, noTrailers } from "../../../exchange/exchange.ts";
import { pieceSize, type PieceSize } from "../../../exchange/piece-size.ts";
import { allowedTrailers } from "../../../exchange/trailers.ts";
import { httpDate } from "../../http-date.ts";
import { breakOff } from "../http1-messages.ts";
import { announcedLength, isBodiless, isDroppedFromResponse } from "../response-framing.ts";
import { crumbBytes, GatheredBody } from "./gathered-body.ts";
import type { OwnHttp1Connection } from "./http1-connection.ts";

export interface OwnHttp1ExchangeSource {
  readonly connection: OwnHttp1Connection;
  readonly handler: ExchangeHandler;
  readonly downstream: Downstream;
  readonly head: Http1RequestHead;
}

export class OwnHttp1Exchange extends Exchange {
  /** Ended, reset or aborted. */
  isOver: boolean;
  /** The request's last byte has been read. */
  isRequestRead: boolean;
  private readonly connection: OwnHttp1Connection;
  private awaitsContinue: boolean;
  /** The response's head, until there is something to send it with. */
  private heldHead: string;
  private isBodiless: boolean;
  private isChunked: boolean;
  /** Chunks of the read under way that are crumbs, and what came behind them. Null where the body is not chunked. */
  private readonly gathered: GatheredBody | null;

  constructor({ connection, handler, downstream, head }: OwnHttp1ExchangeSource) {
    super(handler, downstream, head);
    this.isOver = false;
    this.isRequestRead = head.bodyLength === 0;
    this.connection = connection;
    this.awaitsContinue = head.awaitsContinue;
    this.heldHead = "";
    this.isBodiless = false;
    this.isChunked = false;
    this.gathered = head.bodyLength < 0 ? new GatheredBody() : null;
  }

  /** Hands the request to the proxy. A client that waits for it gets its 100 unless the answer is there already. */
  begin(): void {
    this.handler.onRequest(this);
    if (!this.awaitsContinue || this.isResponseStarted || this.isOver) return;
    this.awaitsContinue = false;
    this.connection.answers.write("HTTP/1.1 100 Continue\r\n\r\n");
  }

  receiveData(chunk: Uint8Array): void {
    if (this.isOver) return;
    const gathered = this.gathered;
    if (gathered !== null && (chunk.length < crumbBytes || !gathered.isEmpty)) gathered.push(chunk);
    else this.handler.onRequestData(this, chunk);
  }

  /** All that one read held of the body has come. */
  endRead(): void {
    if (this.gathered === null || this.gathered.isEmpty || this.isOver) return;
    this.handler.onRequestData(this, this.gathered.take());
  }

  receiveEnd(trailers: readonly string[]): void {
    this.endRead();
    this.isRequestRead = true;
    if (!this.isOver) this.handler.onRequestEnd(this, trailers);
  }

  /** The client is gone. */
  closed(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.handler.onDownstreamAborted(this);
  }

  drained(): void {
    if (!this.isOver) this.handler.onDownstreamDrain(this);
  }

  override get pieceSize(): PieceSize {
    return pieceSize.medium;
  }

  sendInformational(status: number, headers: readonly string[]): void {
    // 100 was ours to say and is said; 101 would change the protocol, which nobody asked for.
    if (status <= 101 || this.isOver || this.isResponseStarted || this.protocol === "HTTP/1.0") return;
    const lines = fieldLines(headers);
    if (lines !== null) this.connection.answers.write(`${statusLine(status)}${lines}\r\n`);
  }

  sendHead(status: number, headers: readonly string[], bodyLength: number): void {
    if (this.isOver) return;
    const isOld = this.protocol === "HTTP/1.0";
    // Whether a client that never got its 100 sends the body is its choice: what comes next on the connection is unknown.
    if (this.awaitsContinue || isOld) this.closesConnection = true;
    this.isBodiless = isBodiless(this.method, status);
    this.isChunked = bodyLength < 0 && !this.isBodiless && !isOld;
    const lines = headLines(status, headers, this.isChunked);
    // Half a head cannot be taken back.
    if (lines === null) return this.reset();
    let head = lines.hasDate ? lines.text : `${lines.text}date: ${httpDate()}\r\n`;
    const length = announcedLength(this.method, status, bodyLength);
    if (this.isChunked) head += "transfer-encoding: chunked\r\n";
    else if (length >= 0) head += `content-length: ${length}\r\n`;
    if (this.closesConnection) head += "connection: close\r\n";
    this.heldHead = `${head}\r\n`;
  }

  sendData(chunk: Uint8Array): boolean {
    if (this.isOver) return false;
    if (this.isBodiless || chunk.length === 0) return true;
    return this.write(this.isChunked ? `${chunk.length.toString(16)}\r\n` : "", chunk, this.isChunked ? "\r\n" : "");
  }

  sendEnd(trailers: readonly string[] = noTrailers): void {
    if (this.isOver) return;
    this.isOver = true;
    if (this.isChunked) {
      // A trailer that cannot be sent is left out: the body is whole without it.
      const lines = trailers.length === 0 ? "" : (fieldLines(allowedTrailers(trailers)) ?? "");
      this.write(`0\r\n${lines}\r\n`, null, "");
    } else {
      this.flush();
    }
    this.connection.responseEnded(this);
  }

  flush(): void {
    if (this.heldHead !== "") this.write("", null, "");
  }

  reset(): void {
    if (this.isOver) return;
    this.isOver = true;
    // What was answered before, and the part of this one that there is, are the client's.
    this.connection.answers.sendHeld();
    // A response to HTTP/1.0 may have no other end than the connection's.
    if (this.protocol === "HTTP/1.0") breakOff(this.connection.socket);
    else this.connection.socket.destroy();
  }

  pauseBody(): void {
    if (!this.isOver) this.connection.pauseBody();
  }

  /** Also when it is over: the rest of the body is read and thrown away. */
  resumeBody(): void {
    this.connection.resumeBody();
  }

  /** What was held back, `before`, the chunk and `after`. */
  private write(before: string, chunk: Uint8Array | null, after: string): boolean {
    const text = this.heldHead + before;
    this.heldHead = "";
    const { answers } = this.connection;
    return chunk === null ? answers.write(text) : answers.writeChunk(text, chunk, after);
  }
}

interface HeadLines {
  readonly text: string;
  readonly hasDate: boolean;
}

const lastHead = new LastHead<HeadLines>();
const lastChunkedHead = new LastHead<HeadLines>();

/** Status line and fields; null when one of them cannot be sent. */
function headLines(status: number, headers: readonly string[], isChunked: boolean): HeadLines | null {
  const last = isChunked ? lastChunkedHead : lastHead;
  const known = last.find(status, headers);
  if (known !== null) return known;
  let text = statusLine(status);
  let hasDate = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    if (isDroppedFromResponse(name, isChunked)) continue;
    if (name === "date") hasDate = true;
    const line = fieldLine(name, headers[i + 1] ?? "");
    if (line === null) return null;
    text += line;
  }
  return last.keep(status, headers, { text, hasDate });
}

/** Null when one of them cannot be sent. */
function fieldLines(fields: readonly string[]): string | null {
  let lines = "";
  for (let i = 0; i < fields.length; i += 2) {
    const line = fieldLine(fields[i] ?? "", fields[i + 1] ?? "");
    if (line === null) return null;
    lines += line;
  }
  return lines;
}
