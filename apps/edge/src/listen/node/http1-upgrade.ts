// An exchange of a client that asks to leave HTTP/1.1 (RFC 9110, 7.8). node:http has let go of the socket, so the response is written
// here: 101 and then bytes as they come, or the upstream's refusal and the end of the connection.
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Downstream } from "../../exchange/downstream.ts";
import { noTrailers } from "../../exchange/exchange.ts";
import type { ExchangeHandler, RequestHead } from "../../exchange/exchange.ts";
import { allowedTrailers } from "../../exchange/trailers.ts";
import { hasField } from "../fields.ts";
import { breakOff } from "./http1-messages.ts";
import { httpDate } from "../http-date.ts";
import { NodeExchange } from "./node-exchange.ts";
import { announcedLength, isBodiless, isDroppedFromResponse } from "./response-framing.ts";

export interface UpgradeExchangeSource {
  readonly handler: ExchangeHandler;
  readonly downstream: Downstream;
  readonly head: RequestHead;
  readonly socket: Socket;
  /** What came in one read with the request's head. */
  readonly early: Buffer;
}

/** How long a client may take to end its side once ours has ended. */
const lingerMs = 1000;

export class NodeUpgradeExchange extends NodeExchange {
  readonly #socket: Socket;
  #isTunnel = false;
  #isBodiless = false;
  #isChunked = false;

  constructor({ handler, downstream, head, socket, early }: UpgradeExchangeSource) {
    super({ handler, downstream, head, body: socket });
    this.#socket = socket;
    this.closesConnection = true;
    if (early.length > 0) socket.unshift(early);
  }

  begin(): void {
    const socket = this.#socket;
    // Each side of a tunnel ends by itself.
    socket.allowHalfOpen = true;
    socket.on("close", () => this.closed()).on("drain", () => this.drained());
    // Nothing is handed on before 101, but a reset is noticed.
    socket.pause();
    socket.read(0);
    this.handler.onRequest(this);
  }

  sendInformational(status: number, headers: readonly string[]): void {
    if (status <= 101 || this.isOver || this.isResponseStarted) return;
    this.#socket.write(`${startLine(status)}${fieldLines(headers)}\r\n`, "latin1");
  }

  sendHead(status: number, headers: readonly string[], bodyLength: number): void {
    if (this.isOver) return;
    this.#isTunnel = status === 101;
    this.#isBodiless = !this.#isTunnel && isBodiless(this.method, status);
    this.#isChunked = !this.#isTunnel && bodyLength < 0 && !this.#isBodiless;
    const fields = hasField(headers, "date") ? [] : ["date", httpDate()];
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] ?? "";
      if (!isDroppedFromResponse(name, this.#isChunked)) fields.push(name, headers[i + 1] ?? "");
    }
    if (this.#isTunnel) this.#pushSwitch(fields);
    else this.#pushFraming(fields, announcedLength(this.method, status, bodyLength));
    this.#socket.write(`${startLine(status)}${fieldLines(fields)}\r\n`, "latin1");
    if (this.#isTunnel) this.#startReading();
  }

  sendData(chunk: Uint8Array): boolean {
    if (this.isOver) return false;
    if (this.#isBodiless || chunk.length === 0) return true;
    // Copied because the socket writes later, and the chunk is only ours until we return.
    if (!this.#isChunked) return this.#socket.write(Buffer.from(chunk));
    this.#socket.write(`${chunk.length.toString(16)}\r\n`, "latin1");
    this.#socket.write(Buffer.from(chunk));
    return this.#socket.write("\r\n", "latin1");
  }

  sendEnd(trailers: readonly string[] = noTrailers): void {
    if (this.isOver) return;
    this.isOver = true;
    if (this.#isChunked) this.#socket.write(`0\r\n${fieldLines(allowedTrailers(trailers))}\r\n`, "latin1");
    this.#socket.end();
    // What the client still sends is read and thrown away, so that its TCP does not throw our last bytes away.
    this.#socket.resume();
    const timer = setTimeout(() => this.#socket.destroy(), lingerMs);
    this.#socket.once("close", () => clearTimeout(timer));
  }

  override sendHalfEnd(): boolean {
    if (!this.#isTunnel || this.isOver) return false;
    this.hasHalfEnded = true;
    this.#socket.end();
    return true;
  }

  flush(): void {
    // Nothing is held back.
  }

  reset(): void {
    if (this.isOver) return;
    this.isOver = true;
    breakOff(this.#socket);
  }

  /** Before 101 nothing is read. */
  override resumeBody(): void {
    if (this.#isTunnel || this.isOver) super.resumeBody();
  }

  protected receivedTrailers(): readonly string[] {
    return noTrailers;
  }

  #pushSwitch(fields: string[]): void {
    fields.push("connection", "upgrade", "upgrade", this.upgrade ?? "");
  }

  #pushFraming(fields: string[], length: number): void {
    if (this.#isChunked) fields.push("transfer-encoding", "chunked");
    else if (length >= 0) fields.push("content-length", String(length));
    fields.push("connection", "close");
  }

  #startReading(): void {
    this.#socket.on("data", (chunk: Buffer) => this.receiveData(chunk)).on("end", () => this.receiveEnd());
    this.#socket.resume();
  }
}

function startLine(status: number): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
}

/** Values come from our own parsers, which let no line end through. */
function fieldLines(fields: readonly string[]): string {
  let lines = "";
  for (let i = 0; i < fields.length; i += 2) lines += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return lines;
}
