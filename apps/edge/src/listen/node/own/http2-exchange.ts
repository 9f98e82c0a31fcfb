// An exchange over one HTTP/2 stream of our own codec.
import { errorCode } from "../../../codec/http2/frame.ts";
import { LastHead } from "../../../codec/last-head.ts";
import { isSendableField } from "../../../codec/http1/response-head.ts";
import { isConnectionField } from "../../../codec/http2/request-fields.ts";
import type { Downstream } from "../../../exchange/downstream.ts";
import { Exchange, type ExchangeHandler, noTrailers } from "../../../exchange/exchange.ts";
import { allowedTrailers } from "../../../exchange/trailers.ts";
import { httpDate } from "../../http-date.ts";
import type { Http2Head } from "../http2-head.ts";
import { announcedLength, isBodiless } from "../response-framing.ts";
import { crumbBytes, GatheredBody } from "./gathered-body.ts";
import type { ExchangeStream, OwnHttp2Connection } from "./http2-connection.ts";

export interface OwnHttp2ExchangeSource {
  readonly connection: OwnHttp2Connection;
  readonly stream: ExchangeStream;
  readonly handler: ExchangeHandler;
  readonly downstream: Downstream;
  readonly request: Http2Head;
}

export class OwnHttp2Exchange extends Exchange {
  private readonly connection: OwnHttp2Connection;
  private readonly stream: ExchangeStream;
  /** Ended, reset or aborted. */
  private isOver: boolean;
  private isPaused: boolean;
  private isBodiless: boolean;
  private awaitsContinue: boolean;
  /** The upstream has to agree to a tunnel before anything is handed on. */
  private awaitsTunnel: boolean;
  /** Crumbs have come in the read under way, and go on at its end. */
  private isGathering: boolean;
  /** What came while nothing may be handed on: no more than the stream's window. Null: nothing, ever. */
  private held: GatheredBody | null;
  /** The end of the request waits behind what is held. */
  private heldEnd: readonly string[] | null;

  constructor({ connection, stream, handler, downstream, request }: OwnHttp2ExchangeSource) {
    super(handler, downstream, request.head);
    this.connection = connection;
    this.stream = stream;
    this.isOver = false;
    this.isPaused = false;
    this.isBodiless = false;
    this.awaitsContinue = request.awaitsContinue;
    this.awaitsTunnel = request.head.upgrade !== null;
    this.isGathering = false;
    this.held = null;
    this.heldEnd = null;
  }

  /** Hands the request to the proxy. A client that waits for it gets its 100 unless the answer is there already. */
  begin(): void {
    this.handler.onRequest(this);
    if (!this.awaitsContinue || this.isResponseStarted || this.isOver) return;
    this.sendFields(100, [], false);
  }

  receiveData(chunk: Buffer): void {
    if (this.isOver) return this.connection.session.release(this.stream);
    if (!this.isHolding && chunk.length < crumbBytes) {
      this.isGathering = true;
      this.connection.handOnAfterRead(this);
    }
    if (this.isHolding) {
      (this.held ??= new GatheredBody()).push(chunk);
      return;
    }
    this.handler.onRequestData(this, chunk);
    if (!this.isHolding) this.connection.session.release(this.stream);
  }

  /** All that one read held has come. */
  endRead(): void {
    this.isGathering = false;
    this.handOn();
  }

  receiveEnd(trailers: readonly string[]): void {
    if (this.isOver) return;
    const allowed = trailers.length === 0 ? noTrailers : allowedTrailers(trailers);
    // Behind what is held; and of a tunnel that nobody has agreed to, neither.
    if (!this.hasHeld && !this.awaitsTunnel) this.handler.onRequestEnd(this, allowed);
    else this.heldEnd = allowed;
  }

  /** The client is gone, or has reset the stream. */
  closed(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.handler.onDownstreamAborted(this);
  }

  drained(): void {
    if (!this.isOver) this.handler.onDownstreamDrain(this);
  }

  sendInformational(status: number, headers: readonly string[]): void {
    if (status <= 101 || this.isOver || this.isResponseStarted) return;
    // Left out rather than failed where it cannot be sent: an interim response is only a hint.
    if (areSendable(headers)) this.sendFields(status, headers, false);
  }

  sendHead(status: number, headers: readonly string[], bodyLength: number): void {
    if (this.isOver) return;
    const isTunnel = status === 101 && this.upgrade !== null;
    this.isBodiless = !isTunnel && isBodiless(this.method, status);
    const fields = this.responseFields(status, headers, isTunnel ? null : bodyLength);
    if (fields === null) return this.reset();
    const isLast = !isTunnel && (bodyLength === 0 || this.isBodiless);
    // RFC 8441, 5: what HTTP/1.1 says with 101 and a hash of the key, HTTP/2 says with 200.
    this.sendFields(isTunnel ? 200 : status, fields, isLast);
    if (this.closesConnection) this.connection.drain();
    if (!isTunnel) return;
    this.stream.isTunnel = true;
    this.awaitsTunnel = false;
    this.handOn();
  }

  sendData(chunk: Uint8Array): boolean {
    if (this.isOver) return false;
    if (this.isBodiless || chunk.length === 0) return true;
    const hasRoom = this.connection.session.write(this.stream, chunk);
    this.connection.touch();
    return hasRoom;
  }

  sendEnd(trailers: readonly string[] = noTrailers): void {
    if (this.isOver) return;
    this.isOver = true;
    const allowed = trailers.length === 0 ? noTrailers : allowedTrailers(trailers);
    // A client that waits for trailers must not take their absence for success.
    if (!areSendable(allowed)) this.connection.session.reset(this.stream, errorCode.internalError);
    else this.connection.session.end(this.stream, allowed);
    this.connection.touch();
  }

  override sendHalfEnd(): boolean {
    if (this.isOver) return false;
    this.connection.session.end(this.stream, noTrailers);
    this.connection.touch();
    return true;
  }

  flush(): void {
    // Nothing is held back beyond the turn.
  }

  reset(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.connection.session.reset(this.stream, errorCode.internalError);
    this.connection.touch();
  }

  pauseBody(): void {
    this.isPaused = true;
  }

  /** Also when it is over: the rest of the body is thrown away. */
  resumeBody(): void {
    this.isPaused = false;
    this.handOn();
  }

  private get isHolding(): boolean {
    return this.isPaused || this.awaitsTunnel || this.isGathering;
  }

  private get hasHeld(): boolean {
    return this.held !== null && !this.held.isEmpty;
  }

  private handOn(): void {
    if (this.isHolding && !this.isOver) return;
    const held = this.held?.take();
    if (held !== undefined && held.length > 0 && !this.isOver) this.handler.onRequestData(this, held);
    if (this.isHolding && !this.isOver) return;
    this.connection.session.release(this.stream);
    this.connection.touch();
    const end = this.heldEnd;
    this.heldEnd = null;
    if (end !== null && !this.isOver) this.handler.onRequestEnd(this, end);
  }

  private sendFields(status: number, fields: readonly string[], isLast: boolean): void {
    this.connection.session.sendHead(this.stream, { status, fields, isLast });
    this.connection.touch();
  }

  /** @param bodyLength null for a tunnel; the result is null when a field cannot be sent */
  private responseFields(status: number, headers: readonly string[], bodyLength: number | null): string[] | null {
    const checked = bodyLength === null ? checkFields(headers, true) : checkedFields(status, headers);
    if (checked === null) return null;
    const fields = checked.list.slice();
    if (!checked.hasDate) fields.push("date", httpDate());
    const length = bodyLength === null ? -1 : announcedLength(this.method, status, bodyLength);
    if (length >= 0) fields.push("content-length", String(length));
    return fields;
  }
}

interface CheckedFields {
  readonly list: readonly string[];
  readonly hasDate: boolean;
}

const lastFields = new LastHead<CheckedFields>();

function checkedFields(status: number, headers: readonly string[]): CheckedFields | null {
  const known = lastFields.find(status, headers);
  if (known !== null) return known;
  const checked = checkFields(headers, false);
  return checked === null ? null : lastFields.keep(status, headers, checked);
}

function checkFields(headers: readonly string[], isTunnel: boolean): CheckedFields | null {
  const list: string[] = [];
  let hasDate = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    const value = headers[i + 1] ?? "";
    if (name === "date") hasDate = true;
    if (isTunnel && name === "sec-websocket-accept") continue;
    if (!isSendableField(name, value) || isConnectionField(name)) return null;
    list.push(name, value);
  }
  return { list, hasDate };
}

function areSendable(fields: readonly string[]): boolean {
  for (let i = 0; i < fields.length; i += 2) if (!isSendableField(fields[i] ?? "", fields[i + 1] ?? "")) return false;
  return true;
}
