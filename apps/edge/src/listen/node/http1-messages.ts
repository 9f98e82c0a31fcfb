// node:http's request and response with room for the exchange they belong to, so that event functions live at module level and
// need no closure a request; and the ways to end a response early without losing it.
import { IncomingMessage, ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { FailureCode } from "../../exchange/failure.ts";
import { failures } from "../../exchange/failure.ts";
import type { Http1Connection } from "./http1-connection.ts";
import type { NodeH1Exchange } from "./http1-exchange.ts";
import { httpDate } from "../http-date.ts";

export class Http1Request extends IncomingMessage {
  exchange: NodeH1Exchange | null = null;

  /** What the parser saw, whatever the protocol. */
  private sawUpgrade = false;

  /**
   * node:http asks this twice to decide whether the connection leaves HTTP: after its parser set it, and after it set it itself because
   * somebody listens for `upgrade` events. It would leave for any protocol, h2c included. Here only WebSocket counts; to everything
   * else HTTP/1.1 goes on as if nothing had been asked (RFC 9110, 7.8).
   */
  get upgrade(): boolean {
    return this.sawUpgrade && (this.method === "CONNECT" || this.#asksForWebSocket());
  }

  set upgrade(value: boolean | null) {
    this.sawUpgrade = value === true;
  }

  /**
   * The request asked for a protocol that is ignored. The parser then drops what came in one read behind it, so nothing behind it may be
   * read as a request any more: it could begin in the middle.
   */
  get hasIgnoredUpgrade(): boolean {
    return this.sawUpgrade && !this.upgrade;
  }

  /** A handshake as RFC 6455, 4.1 has it. One with a body is none: where would the body end and the tunnel begin? */
  #asksForWebSocket(): boolean {
    const { upgrade = "", connection = "" } = this.headers;
    if (this.method !== "GET" || this.httpVersion !== "1.1" || upgrade.toLowerCase() !== "websocket") return false;
    if (this.headers["transfer-encoding"] !== undefined || (this.headers["content-length"] ?? "0") !== "0")
      return false;
    return connection.toLowerCase().split(",").some(isUpgradeToken);
  }
}

function isUpgradeToken(token: string): boolean {
  return token.trim() === "upgrade";
}

export class Http1Response extends ServerResponse<Http1Request> {
  exchange: NodeH1Exchange | null = null;
  owner: Http1Connection | null = null;
}

/** How long a client that is still sending may take to read why it should stop. */
const lingerMs = 1000;

/** Ends the response with the failure's status and without body; the connection closes. */
export function refuseRequest(response: Http1Response, failure: FailureCode): void {
  const { status } = failures[failure];
  response.sendDate = false;
  response.writeHead(status, ["server", "sluice", "date", httpDate(), "content-length", "0", "connection", "close"]);
  endWithLinger(response);
}

/**
 * Ends a complete response of known length on a connection that closes. While the client still sends, closing at once would make
 * its TCP throw the response away unread (RFC 9112, 9.6), so what it sends is read for a while first. Not for chunked responses:
 * their end is itself a byte to send.
 */
export function endWithLinger(response: Http1Response): void {
  const { req: request } = response;
  if (request.complete) {
    response.end();
    return;
  }
  response.flushHeaders();
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, lingerMs);
  response.once("close", () => clearTimeout(timer));
  request.once("end", end);
  request.resume();
}

/** The same on a socket whose request could not be parsed, where there is no response object. */
export function refuseOnSocket(socket: Socket, failure: FailureCode): void {
  const { status } = failures[failure];
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nserver: sluice\r\ndate: ${httpDate()}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
    "latin1",
  );
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("close", () => clearTimeout(timer));
}

/**
 * Closes the connection so that nobody takes it for an orderly end. In clear that needs a reset; a TLS stream that ends without
 * `close_notify` tells by itself.
 */
export function breakOff(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
