// An exchange that waits because its route injects a delay. It holds a timer and the pieces of the body that were under way when the client
// was stopped; it ends with its client.
import type { Exchange } from "../exchange/exchange.ts";
import type { ForwardedExchange } from "../exchange/forwarded-exchange.ts";
import { HeldBody } from "./held-body.ts";

export class DelayedExchange implements ForwardedExchange {
  readonly #body = new HeldBody();
  readonly #timer: NodeJS.Timeout;

  /** @param proceed called once, when the time has come; afterwards the exchange is no longer this object's */
  constructor(exchange: Exchange, delayMs: number, proceed: (body: HeldBody) => void) {
    // An upgrade has no body before its answer.
    if (!exchange.isRequestComplete && exchange.upgrade === null) exchange.pauseBody();
    this.#timer = setTimeout(() => {
      exchange.forwarding = null;
      proceed(this.#body);
    }, delayMs);
  }

  write(chunk: Uint8Array): boolean {
    this.#body.add(chunk);
    return false;
  }

  end(trailers: readonly string[]): void {
    this.#body.complete(trailers);
  }

  retriesResponse(): boolean {
    return false;
  }

  retriesFailure(): boolean {
    return false;
  }

  decorate(): void {}

  close(): void {
    clearTimeout(this.#timer);
  }
}
