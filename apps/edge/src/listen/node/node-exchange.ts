// What the exchanges of this engine share: the request's body is a stream of Node's, and once an exchange is over no event reaches the
// handler any more.
import type { Readable } from "node:stream";
import type { Downstream } from "../../exchange/downstream.ts";
import { Exchange } from "../../exchange/exchange.ts";
import type { ExchangeHandler, RequestHead } from "../../exchange/exchange.ts";

export interface NodeExchangeSource {
  readonly handler: ExchangeHandler;
  readonly downstream: Downstream;
  readonly head: RequestHead;
  readonly body: Readable;
}

export abstract class NodeExchange extends Exchange {
  /** Ended, reset or aborted. */
  protected isOver = false;
  /** In a tunnel: the half towards the client has ended. */
  protected hasHalfEnded = false;
  readonly #body: Readable;

  constructor({ handler, downstream, head, body }: NodeExchangeSource) {
    super(handler, downstream, head);
    this.#body = body;
  }

  pauseBody(): void {
    if (!this.isOver) this.#body.pause();
  }

  /** Also when it is over: the rest of the body is read and thrown away. */
  resumeBody(): void {
    this.#body.resume();
  }

  /** The response is out or the client is gone. */
  closed(): void {
    // Both halves of a tunnel have ended, and the upstream is still taking what the client has said: it is not to be cut short.
    if (this.isOver || (this.hasHalfEnded && this.isRequestComplete)) return;
    this.isOver = true;
    this.handler.onDownstreamAborted(this);
  }

  receiveData(chunk: Uint8Array): void {
    if (!this.isOver) this.handler.onRequestData(this, chunk);
  }

  receiveEnd(): void {
    if (!this.isOver) this.handler.onRequestEnd(this, this.receivedTrailers());
  }

  drained(): void {
    if (!this.isOver) this.handler.onDownstreamDrain(this);
  }

  /** What the client sent behind the body, as `onRequestEnd` wants it. */
  protected abstract receivedTrailers(): readonly string[];
}
