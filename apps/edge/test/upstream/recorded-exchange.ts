// An upstream handler that writes down every call and checks the contract: order, and silence after the end.
import { once } from "node:events";
import { EventEmitter } from "node:events";
import type { FailureCode } from "../../src/exchange/failure.ts";
import { pieceSize, type PieceSize } from "../../src/exchange/piece-size.ts";
import type { UpstreamHandler } from "../../src/exchange/upstream-handler.ts";
import type { EndpointPool } from "../../src/upstream/pool.ts";
import type { RequestStream } from "../../src/upstream/request-stream.ts";
import { type RequestBody, type RequestOrigin, sendRequest } from "../../src/upstream/send-request.ts";

export interface SentRequest {
  method?: string;
  body?: RequestBody;
  /** Fields besides `host`, each with its CRLF. */
  fields?: string;
  /** Announced with `length`; what a `content-length` in `fields` says when absent. */
  bodyLength?: number;
  origin?: Partial<RequestOrigin>;
}

const plainOrigin: RequestOrigin = {
  protocol: "HTTP/1.1",
  authority: "a",
  host: "a",
  scheme: "http",
  upgrade: null,
  downstream: { remoteAddress: "203.0.113.9", remotePort: 40_000, localAddress: "192.0.2.1", localPort: 443 },
};

export class RecordedExchange implements UpstreamHandler {
  pieceSize: PieceSize = pieceSize.small;
  stream!: RequestStream;
  /** `head 200`, `data hello`, `flush`, `end`, `error upstream_reset`, ... */
  readonly calls: string[] = [];
  headers: readonly string[] = [];
  trailers: readonly string[] = [];
  bodyLength = NaN;
  body = "";
  isSettled = false;
  /** What a test wants to do inside a call; gets the call's name. */
  during: ((call: string, exchange: RecordedExchange) => void) | null = null;
  private readonly events = new EventEmitter();
  private isSending = true;

  static send(pool: EndpointPool, sent: SentRequest = {}, size: PieceSize = pieceSize.small): RecordedExchange {
    const { method = "GET", body = "none", fields = "" } = sent;
    const exchange = new RecordedExchange();
    exchange.pieceSize = size;
    const head = `${method} / HTTP/1.1\r\nhost: a\r\n${fields}\r\n`;
    const { bodyLength = Number(/content-length: (\d+)/.exec(fields)?.[1] ?? 0) } = sent;
    const origin = { ...plainOrigin, ...sent.origin };
    exchange.stream = sendRequest(pool, { method, head, body, bodyLength, origin }, exchange) as RequestStream;
    exchange.isSending = false;
    return exchange;
  }

  onUpstreamInformational(status: number): void {
    this.record(`informational ${status}`);
  }

  onUpstreamHead(status: number, headers: readonly string[], bodyLength: number): void {
    this.headers = headers;
    this.bodyLength = bodyLength;
    this.record(`head ${status}`);
  }

  onUpstreamData(chunk: Uint8Array): void {
    const text = Buffer.from(chunk).toString("latin1");
    this.body += text;
    this.record(`data ${text.length > 40 ? text.length : text}`);
  }

  onUpstreamHalfEnd(): void {
    this.record("half-end");
  }

  onUpstreamEnd(trailers: readonly string[]): void {
    this.trailers = trailers;
    this.record("end");
  }

  onUpstreamFlush(): void {
    this.record("flush");
  }

  onUpstreamError(failure: FailureCode): void {
    this.record(`error ${failure}`);
  }

  onUpstreamDrain(): void {
    this.record("drain");
  }

  /** Resolves when a call of this name (its first word) has been made from now on. */
  async next(name: string): Promise<void> {
    await once(this.events, name);
  }

  /** Resolves with all calls when the exchange has ended, well or not. */
  async settled(): Promise<string[]> {
    if (!this.isSettled) await this.next("settled");
    return this.calls;
  }

  private record(call: string): void {
    if (this.isSending) throw new Error(`${call} from inside sendRequest`);
    if (this.isSettled) throw new Error(`${call} after the end`);
    this.calls.push(call);
    const name = call.split(" ")[0] ?? "";
    this.isSettled = name === "end" || name === "error";
    this.during?.(call, this);
    this.events.emit(name === "error" ? "failure" : name);
    if (this.isSettled) this.events.emit("settled");
  }
}

/** Lets everything that is already due happen: ticks, immediates and the sockets' pending reads. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
