// node:http's request and response with room for the exchange they belong to, so that event functions live at module level and
// need no closure a request; and the ways to end a response early without losing it.
import { IncomingMessage, ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FailureCode } from "../../exchange/failure.ts";
import { failures } from "../../exchange/failure.ts";
import type { Http1Connection } from "./http1-connection.ts";
import type { NodeH1Exchange } from "./http1-exchange.ts";
import { httpDate } from "./http-date.ts";

export class Http1Request extends IncomingMessage {
  exchange: NodeH1Exchange | null = null;
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
