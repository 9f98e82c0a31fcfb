// An exchange over HTTP/1.1 on node:http.
import { STATUS_CODES } from "node:http";
import type { Downstream } from "../../exchange/downstream.ts";
import { noTrailers } from "../../exchange/exchange.ts";
import type { ExchangeHandler, RequestHead } from "../../exchange/exchange.ts";
import { allowedTrailers } from "../../exchange/trailers.ts";
import { breakOff, endWithLinger } from "./http1-messages.ts";
import type { Http1Request, Http1Response } from "./http1-messages.ts";
import { httpDate } from "../http-date.ts";
import { NodeExchange } from "./node-exchange.ts";
import { announcedLength, isBodiless, isDroppedFromResponse } from "./response-framing.ts";

export interface Http1ExchangeSource {
  readonly handler: ExchangeHandler;
  readonly downstream: Downstream;
  readonly head: RequestHead;
  readonly request: Http1Request;
  readonly response: Http1Response;
  /** The client waits for 100 before it sends the body. */
  readonly awaitsContinue: boolean;
}

export class NodeH1Exchange extends NodeExchange {
  readonly #request: Http1Request;
  readonly #response: Http1Response;
  #awaitsContinue: boolean;
  /** Written to the response, not yet to the socket. */
  #isHeadHeld = false;
  #isBodiless = false;
  #isChunked = false;

  constructor({ handler, downstream, head, request, response, awaitsContinue }: Http1ExchangeSource) {
    super({ handler, downstream, head, body: request });
    this.#request = request;
    this.#response = response;
    this.#awaitsContinue = awaitsContinue;
    request.exchange = this;
    response.exchange = this;
    response.on("drain", onDrain);
    if (head.bodyLength !== 0) request.on("data", onData).on("end", onEnd).on("error", onError);
  }

  /** Hands the request to the proxy. A client that waits for it gets its 100 unless the answer is there already. */
  begin(): void {
    this.handler.onRequest(this);
    if (this.#awaitsContinue && !this.isResponseStarted && !this.isOver) this.#sendContinue();
  }

  sendInformational(status: number, headers: readonly string[]): void {
    const { socket } = this.#response;
    // 100 was ours to say and is said; 101 would change the protocol, which nobody asked for.
    if (status <= 101 || this.isOver || socket === null || this.#response.headersSent) return;
    // RFC 9110, 15.2.
    if (this.protocol === "HTTP/1.0") return;
    let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n`;
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    socket.write(`${head}\r\n`, "latin1");
  }

  sendHead(status: number, headers: readonly string[], bodyLength: number): void {
    if (this.isOver) return;
    const response = this.#response;
    // Whether a client that never got its 100 sends the body is its choice: what comes next on the connection is unknown.
    if (this.#awaitsContinue || !response.shouldKeepAlive) this.closesConnection = true;
    const isOld = this.protocol === "HTTP/1.0";
    if (isOld) this.closesConnection = true;
    this.#isBodiless = isBodiless(this.method, status);
    this.#isChunked = bodyLength < 0 && !this.#isBodiless && !isOld;
    response.sendDate = false;
    // Node then adds neither `connection: keep-alive` nor `keep-alive`.
    response.removeHeader("connection");
    try {
      response.writeHead(status, this.#responseHeaders(status, headers, bodyLength));
      this.#isHeadHeld = true;
    } catch {
      // Node refuses what it calls an invalid header. Half a head cannot be taken back.
      this.reset();
    }
  }

  sendData(chunk: Uint8Array): boolean {
    if (this.isOver) return false;
    if (this.#isBodiless) return true;
    this.#isHeadHeld = false;
    // Copied because Node gathers writes until the end of the turn, and the chunk is only ours until we return.
    return this.#response.write(Buffer.from(chunk));
  }

  sendEnd(trailers: readonly string[] = noTrailers): void {
    if (this.isOver) return;
    this.isOver = true;
    if (this.#isChunked && trailers.length > 0) this.#addTrailers(allowedTrailers(trailers));
    // The rest of the body is read and thrown away.
    this.#request.resume();
    if (this.closesConnection && !this.#isChunked && !this.#awaitsContinue) endWithLinger(this.#response);
    else this.#response.end();
  }

  flush(): void {
    if (!this.#isHeadHeld || this.isOver) return;
    this.#isHeadHeld = false;
    this.#response.flushHeaders();
  }

  reset(): void {
    if (this.isOver) return;
    this.isOver = true;
    // A response to HTTP/1.0 may have no other end than the connection's.
    if (this.protocol === "HTTP/1.0") breakOff(this.#request.socket);
    else this.#request.socket.destroy();
  }

  protected receivedTrailers(): readonly string[] {
    return allowedTrailers(this.#request.rawTrailers);
  }

  #addTrailers(trailers: readonly string[]): void {
    try {
      this.#response.addTrailers(toPairs(trailers));
    } catch {
      // Node refuses what it calls an invalid field. The body is whole without it.
    }
  }

  #sendContinue(): void {
    this.#awaitsContinue = false;
    this.#response.writeContinue();
  }

  #responseHeaders(status: number, headers: readonly string[], bodyLength: number): string[] {
    const result: string[] = [];
    let hasDate = false;
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i] ?? "";
      if (isDroppedFromResponse(name, this.#isChunked)) continue;
      if (name === "date") hasDate = true;
      result.push(name, headers[i + 1] ?? "");
    }
    if (!hasDate) result.push("date", httpDate());
    const length = announcedLength(this.method, status, bodyLength);
    if (this.#isChunked) result.push("transfer-encoding", "chunked");
    else if (length >= 0) result.push("content-length", String(length));
    if (this.closesConnection) result.push("connection", "close");
    return result;
  }
}

function toPairs(fields: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let i = 0; i < fields.length; i += 2) pairs.push([fields[i] ?? "", fields[i + 1] ?? ""]);
  return pairs;
}

function onData(this: Http1Request, chunk: Uint8Array): void {
  this.exchange?.receiveData(chunk);
}

function onEnd(this: Http1Request): void {
  this.exchange?.receiveEnd();
}

function onError(): void {
  // The response closes as well, and that is where an abort is told.
}

function onDrain(this: Http1Response): void {
  this.exchange?.drained();
}
