// One HTTP/1.1 connection on our own codec: what is read goes to the parser, one request after the other to the proxy, and what is
// answered back to the socket.
import type { Socket } from "node:net";
import type { Http1RequestHead } from "../../../codec/http1/request-head.ts";
import { type RequestEvents, RequestParser } from "../../../codec/http1/request-parser.ts";
import type { Downstream } from "../../../exchange/downstream.ts";
import type { FailureCode } from "../../../exchange/failure.ts";
import { readTransiently, type ReleaseReads } from "../../../network/transient-reads.ts";
import type { EngineContext } from "../../listener.ts";
import type { HttpConnection } from "../connection.ts";
import { refuseOnSocket } from "../http1-messages.ts";
import { NodeUpgradeExchange } from "../http1-upgrade.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { sayFarewell } from "./farewell.ts";
import { OwnHttp1Exchange } from "./http1-exchange.ts";
import type { OwnConnectionSource } from "./server.ts";

/**
 * `http`: requests and responses. `upgrading`: a head asked to leave HTTP, what came behind it is not known yet. `left`: another
 * protocol has the socket. `discarding`: the last answer is on its way, and what the client still sends is thrown away.
 */
type Phase = "http" | "upgrading" | "left" | "discarding";

const nothing = Buffer.alloc(0);

export class OwnHttp1Connection implements HttpConnection, RequestEvents {
  readonly socket: Socket;
  readonly answers: AnswerWriter;
  readonly #downstream: Downstream;
  readonly #context: EngineContext;
  readonly #parser: RequestParser;
  readonly #releaseReads: ReleaseReads;
  #phase: Phase = "http";
  #current: OwnHttp1Exchange | null = null;
  /** Read and not used: a pipelined request, or body that its exchange does not want yet. One read at most, for the socket is paused. */
  #rest: Buffer = nothing;
  /** No request after the current one. */
  #isClosing: boolean;
  #isRunning = false;
  #isSocketPaused = false;
  #hasServed = false;
  /** Monotonic milliseconds at which the wait of the moment began: for a request, or for the rest of its head. 0: since the clock's last look. */
  #waitingSinceMs = 0;
  /** The same of the last answer's end. What the client sends since then is no sign that it takes it. */
  #answeredAtMs = 0;

  constructor({ socket, downstream, state }: OwnConnectionSource) {
    this.socket = socket;
    this.answers = new AnswerWriter(socket);
    this.#downstream = downstream;
    this.#context = state.context;
    // The first response of a connection that came while the listener drains is the last.
    this.#isClosing = state.isDraining;
    this.#parser = new RequestParser(this, state.context.limits);
    this.#releaseReads = readTransiently(socket, (bytes) => this.#onBytes(bytes));
    socket.on("close", () => this.#onClose()).on("drain", () => this.#onDrain());
  }

  drain(): void {
    this.#isClosing = true;
    if (this.#phase !== "http") return;
    if (this.#current !== null) this.#current.closesConnection = true;
    // What has begun is still answered.
    else if (!this.#parser.isInHead) {
      this.#discard();
      this.answers.sendHeld();
      sayFarewell(this.socket, true);
    }
  }

  /** Ends the connection when it has waited longer than it may. While a request is under way the proxy keeps the time, until it is answered. */
  checkTime(nowMs: number): void {
    if (this.#phase !== "http" || this.#isUnderWay) return;
    const { idleTimeoutMs, requestHeadTimeoutMs, streamIdleTimeoutMs } = this.#context.limits;
    // Asking the time with every request would cost more than coming one look too late.
    this.#waitingSinceMs ||= nowMs;
    this.#answeredAtMs ||= nowMs;
    const waitedMs = nowMs - this.#waitingSinceMs;
    // Its last answer is still here: the proxy, which kept the time of it, has done with it.
    const untakenMs = this.socket.writableLength > 0 ? nowMs - this.#answeredAtMs : 0;
    if (streamIdleTimeoutMs > 0 && untakenMs >= streamIdleTimeoutMs) {
      this.socket.destroy();
      return;
    }
    if (this.#parser.isInHead) {
      if (waitedMs >= requestHeadTimeoutMs) this.onFault("head_timeout");
      return;
    }
    // A client that has just connected wants something; one that has been served may idle.
    if (waitedMs >= (this.#hasServed ? idleTimeoutMs : requestHeadTimeoutMs)) this.socket.destroy();
  }

  /** Not answered yet. One that is may still be here: for the rest of its body, which need not come. */
  get #isUnderWay(): boolean {
    return this.#current !== null && !this.#current.isOver;
  }

  onHead(head: Http1RequestHead): void {
    this.#hasServed = true;
    if (head.upgrade !== null) return this.#beginUpgrade(head);
    const exchange = new OwnHttp1Exchange({
      connection: this,
      handler: this.#context.handler,
      downstream: this.#downstream,
      head,
    });
    this.#current = exchange;
    this.#isClosing ||= head.closesConnection;
    exchange.closesConnection = this.#isClosing;
    exchange.begin();
  }

  onBody(chunk: Uint8Array): void {
    this.#current?.receiveData(chunk);
  }

  onEnd(trailers: readonly string[]): void {
    this.#current?.receiveEnd(trailers);
    this.#turnToNext();
  }

  onFault(failure: FailureCode): void {
    const exchange = this.#current;
    this.#context.observer.onRequestRefused(this.#downstream.listener, failure);
    this.#discard();
    exchange?.closed();
    // What was promised of an answer cannot be taken back, and must not look complete.
    this.answers.sendHeld();
    if (exchange?.isResponseStarted === true) this.socket.destroy();
    else refuseOnSocket(this.socket, failure);
  }

  pauseBody(): void {
    this.#parser.isPaused = true;
    this.#setPaused(true);
  }

  resumeBody(): void {
    this.#parser.isPaused = false;
    this.#run();
  }

  /** The answer of the current exchange is out. */
  responseEnded(exchange: OwnHttp1Exchange): void {
    if (exchange !== this.#current) return;
    this.#answeredAtMs = 0;
    if (exchange.closesConnection || this.#isClosing) return this.#end(exchange.isRequestRead);
    // What is left of the body is read and thrown away before the next request.
    this.#parser.isPaused = false;
    this.#waitingSinceMs = 0;
    this.#turnToNext();
    this.#run();
  }

  /** @param bytes valid until it returns */
  #onBytes(bytes: Buffer): void {
    if (this.#phase === "discarding") return;
    if (this.#isReadyForHead || this.#current !== null) this.#waitingSinceMs = 0;
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#run();
    if (this.#rest.length > 0 && this.#rest.buffer === bytes.buffer) this.#rest = Buffer.from(this.#rest);
  }

  /** What comes next begins a head. */
  get #isReadyForHead(): boolean {
    return this.#parser.isBetweenRequests && this.#rest.length === 0;
  }

  /** Gives the parser what is there. Events may call this again: then the call that is already running goes on. */
  #run(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    let used = -1;
    while (this.#phase === "http" && this.#rest.length > 0 && !this.#isHeldBack && used !== 0) {
      const bytes = this.#rest;
      used = this.#parser.execute(bytes, 0);
      this.#rest = used === bytes.length ? nothing : bytes.subarray(used);
      this.#current?.endRead();
    }
    this.#isRunning = false;
    // What cannot be used now must not pile up.
    if (this.#phase === "http") this.#setPaused(this.#rest.length > 0 || this.#parser.isPaused);
    else if (this.#phase === "upgrading") this.#finishUpgrade();
  }

  /** A client that does not take its answers gets no further ones: they would pile up here. */
  get #isHeldBack(): boolean {
    return this.#parser.isPaused || (this.#current === null && !this.answers.hasRoom);
  }

  #onDrain(): void {
    this.#current?.drained();
    this.#run();
  }

  #setPaused(isPaused: boolean): void {
    if (isPaused === this.#isSocketPaused) return;
    this.#isSocketPaused = isPaused;
    if (isPaused) this.socket.pause();
    else this.socket.resume();
  }

  /** Request and response are both complete. */
  #turnToNext(): void {
    const exchange = this.#current;
    if (exchange === null || !exchange.isOver || !exchange.isRequestRead) return;
    this.#current = null;
    this.#waitingSinceMs = 0;
    this.#parser.next();
  }

  #upgradeHead: Http1RequestHead | null = null;

  #beginUpgrade(head: Http1RequestHead): void {
    this.#phase = "upgrading";
    this.#upgradeHead = head;
  }

  /** Only now it is known what came in one read with the head. */
  #finishUpgrade(): void {
    const { socket } = this;
    const head = this.#upgradeHead;
    if (head === null) return;
    this.#phase = "left";
    this.answers.sendHeld();
    // While it flows, what is put back would be read by nobody.
    socket.pause();
    this.#releaseReads();
    socket.removeAllListeners("drain");
    const { handler } = this.#context;
    const early = Buffer.from(this.#rest);
    this.#rest = nothing;
    new NodeUpgradeExchange({ handler, downstream: this.#downstream, head, socket, early }).begin();
  }

  /** Closes so that the answer arrives: while the client still sends, what it sends is read first (RFC 9112, 9.6). */
  #end(isRequestRead: boolean): void {
    const isAllRead = isRequestRead && this.#rest.length === 0;
    this.#discard();
    this.answers.sendHeld();
    sayFarewell(this.socket, isAllRead);
  }

  #discard(): void {
    this.#phase = "discarding";
    this.#current = null;
    this.#rest = nothing;
    this.#setPaused(false);
  }

  #onClose(): void {
    const exchange = this.#current;
    if (this.#phase === "http") this.#phase = "discarding";
    this.#current = null;
    exchange?.closed();
  }
}
