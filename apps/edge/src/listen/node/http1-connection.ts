// One HTTP/1.1 connection: its requests in order, one exchange at a time.
import type { Socket } from "node:net";
import type { Downstream } from "../../exchange/downstream.ts";
import type { FailureCode } from "../../exchange/failure.ts";
import type { EngineContext } from "../listener.ts";
import type { HttpConnection } from "./connection.ts";
import { NodeH1Exchange } from "./http1-exchange.ts";
import { readHttp1Head } from "./http1-head.ts";
import { refuseOnSocket, refuseRequest } from "./http1-messages.ts";
import type { Http1Request, Http1Response } from "./http1-messages.ts";
import { NodeUpgradeExchange } from "./http1-upgrade.ts";

/** Pipelined requests that wait before no more is read; those of one read come all the same. */
const maxWaiting = 64;

export interface PendingRequest {
  readonly request: Http1Request;
  readonly response: Http1Response;
  readonly awaitsContinue: boolean;
}

export interface Http1ConnectionSource {
  readonly socket: Socket;
  readonly downstream: Downstream;
  readonly context: EngineContext;
  /** The listener is draining: the first response is the last. */
  readonly isDraining: boolean;
}

export class Http1Connection implements HttpConnection {
  readonly #socket: Socket;
  readonly #downstream: Downstream;
  readonly #context: EngineContext;
  /**
   * Pipelined requests wait: node:http would start them all at once, and a POST could be overtaken by the GET sent after it
   * (RFC 9112, 9.3.2). Nor does it stop reading by itself as long as nothing is answered.
   */
  readonly #queue: PendingRequest[] = [];
  #isHoldPlanned = false;
  #isHeld = false;
  #current: PendingRequest | null = null;
  /** No request after the current one. */
  #isClosing: boolean;
  /** The connection is no longer HTTP/1.1's; it ends with its last exchange. */
  #hasLeft = false;

  constructor({ socket, downstream, context, isDraining }: Http1ConnectionSource) {
    this.#socket = socket;
    this.#downstream = downstream;
    this.#context = context;
    this.#isClosing = isDraining;
  }

  receive(pending: PendingRequest): void {
    if (this.#current === null) this.#begin(pending);
    else if (this.#queue.push(pending) >= maxWaiting) this.#holdSoon();
  }

  /** node:http resumes the socket at the end of each message, in the next tick: this has to come after it. */
  #holdSoon(): void {
    if (this.#isHoldPlanned) return;
    this.#isHoldPlanned = true;
    process.nextTick(() => process.nextTick(() => this.#hold()));
  }

  #hold(): void {
    this.#isHoldPlanned = false;
    if (this.#queue.length < maxWaiting) return;
    this.#isHeld = true;
    this.#socket.pause();
  }

  #release(): void {
    if (!this.#isHeld || this.#queue.length >= maxWaiting) return;
    this.#isHeld = false;
    this.#socket.resume();
  }

  /** The request asks for WebSocket, and node:http has let go of the socket. */
  upgrade(request: Http1Request, early: Buffer): void {
    this.#hasLeft = true;
    const { handler, observer, limits } = this.#context;
    const head = readHttp1Head(request, limits);
    if (this.#current !== null || typeof head === "string") {
      // Behind a request under way it would have to wait for an answer that nobody who pipelines a handshake deserves.
      const failure = typeof head === "string" ? head : "bad_request";
      observer.onRequestRefused(this.#downstream.listener, failure);
      if (this.#current === null) refuseOnSocket(this.#socket, failure);
      else this.drain();
      return;
    }
    new NodeUpgradeExchange({ handler, downstream: this.#downstream, head, socket: this.#socket, early }).begin();
  }

  drain(): void {
    this.#isClosing = true;
    if (this.#hasLeft && this.#current === null) return;
    const exchange = this.#current?.response.exchange ?? null;
    if (exchange !== null) exchange.closesConnection = true;
    else if (this.#current === null) this.#socket.destroySoon();
  }

  /** What the parser could not read, or CONNECT, which has no response object either. */
  refuse(failure: FailureCode): void {
    if (!this.#socket.writable || this.#hasRefusedCurrent()) return;
    this.#context.observer.onRequestRefused(this.#downstream.listener, failure);
    if (this.#current !== null) return this.#refuseWhileBusy(this.#current, failure);
    this.#isClosing = true;
    refuseOnSocket(this.#socket, failure);
  }

  /** An answer written now would be taken for the answer to the request under way, unless it is that request that is broken. */
  #refuseWhileBusy({ request, response }: PendingRequest, failure: FailureCode): void {
    this.#isClosing = true;
    this.#queue.length = 0;
    const { exchange } = response;
    if (request.complete) {
      if (exchange !== null) exchange.closesConnection = true;
      return;
    }
    exchange?.closed();
    if (response.headersSent) this.#socket.destroy();
    else refuseOnSocket(this.#socket, failure);
  }

  /** What was refused by its head may turn out unreadable as well. */
  #hasRefusedCurrent(): boolean {
    return this.#current !== null && this.#current.response.exchange === null;
  }

  #begin(pending: PendingRequest): void {
    const { request, response, awaitsContinue } = pending;
    const { handler, observer, limits } = this.#context;
    this.#current = pending;
    response.owner = this;
    response.on("close", onResponseClose).on("error", onResponseError);
    const head = readHttp1Head(request, limits);
    if (typeof head === "string") {
      observer.onRequestRefused(this.#downstream.listener, head);
      refuseRequest(response, head);
      return;
    }
    const exchange = new NodeH1Exchange({
      handler,
      downstream: this.#downstream,
      head,
      request,
      response,
      awaitsContinue,
    });
    if (request.hasIgnoredUpgrade) this.#isClosing = true;
    exchange.closesConnection = this.#isClosing;
    exchange.begin();
  }

  /** The response is out or the connection is gone. */
  responseClosed(response: Http1Response): void {
    response.exchange?.closed();
    this.#current = null;
    if (!this.#socket.writable) return;
    if (this.#isClosing) {
      this.#socket.destroySoon();
      return;
    }
    const next = this.#queue.shift();
    this.#release();
    if (next !== undefined) this.#begin(next);
  }
}

function onResponseClose(this: Http1Response): void {
  this.owner?.responseClosed(this);
}

function onResponseError(): void {
  // Followed by close.
}
