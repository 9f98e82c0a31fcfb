// An ExchangeHandler that answers by itself and writes down what happened, in place of the proxy.
import type { Exchange, ExchangeHandler } from "../../src/exchange/exchange.ts";

export interface Seen {
  readonly exchange: Exchange;
  body: Buffer;
  /** `request`, `data:5`, `end`, `drain`, `aborted`, in order. */
  readonly events: string[];
}

export type Answer = (exchange: Exchange, seen: Seen) => void;

/** Like the proxy it sets `isDone` after `sendEnd`, and answers when the request is complete unless told `early`. */
export class FakeHandler implements ExchangeHandler {
  readonly seen: Seen[] = [];
  early: Answer | null = null;
  answer: Answer = (exchange) => respond(exchange, 200, "hello");
  onData: Answer | null = null;
  onDrain: Answer | null = null;
  private readonly waiters: { readonly event: string; readonly resolve: (seen: Seen) => void }[] = [];

  /** Resolves when `event` happens next. */
  next(event: string): Promise<Seen> {
    return new Promise((resolve) => this.waiters.push({ event, resolve }));
  }

  onRequest(exchange: Exchange): void {
    const seen: Seen = { exchange, body: Buffer.alloc(0), events: [] };
    this.seen.push(seen);
    this.note(seen, "request");
    if (this.early !== null) this.early(exchange, seen);
    else if (exchange.isRequestComplete) this.answer(exchange, seen);
  }

  onRequestData(exchange: Exchange, chunk: Uint8Array): void {
    const seen = this.of(exchange);
    exchange.bytesReceived += chunk.length;
    if (exchange.bytesReceived < 1_000_000) seen.body = Buffer.concat([seen.body, chunk]);
    this.note(seen, `data:${chunk.length}`);
    this.onData?.(exchange, seen);
  }

  onRequestEnd(exchange: Exchange): void {
    const seen = this.of(exchange);
    exchange.isRequestComplete = true;
    this.note(seen, "end");
    if (!exchange.isDone && this.early === null) this.answer(exchange, seen);
  }

  onDownstreamDrain(exchange: Exchange): void {
    const seen = this.of(exchange);
    this.note(seen, "drain");
    this.onDrain?.(exchange, seen);
  }

  onDownstreamAborted(exchange: Exchange): void {
    this.note(this.of(exchange), "aborted");
    exchange.isDone = true;
  }

  onUpstreamInformational(): void {}
  onUpstreamHead(): void {}
  onUpstreamData(): void {}
  onUpstreamHalfEnd(): void {}
  onUpstreamEnd(): void {}
  onUpstreamFlush(): void {}
  onUpstreamError(): void {}
  onUpstreamDrain(): void {}

  private of(exchange: Exchange): Seen {
    const seen = this.seen.findLast((entry) => entry.exchange === exchange);
    if (seen === undefined) throw new Error("an event for an exchange that never began");
    return seen;
  }

  private note(seen: Seen, event: string): void {
    seen.events.push(event);
    const [kind] = event.split(":");
    for (const waiter of this.waiters.splice(0)) {
      if (waiter.event === kind) waiter.resolve(seen);
      else this.waiters.push(waiter);
    }
  }
}

/** A response in one go, as the proxy sends them. */
export function respond(exchange: Exchange, status: number, body: string | Buffer, headers: string[] = []): void {
  const bytes = Buffer.from(body);
  exchange.sendHead(status, headers, bytes.length);
  if (bytes.length > 0) exchange.sendData(bytes);
  exchange.sendEnd();
  exchange.isDone = true;
}
