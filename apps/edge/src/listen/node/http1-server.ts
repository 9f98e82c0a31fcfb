// HTTP/1.1 through node:http, for cleartext connections and for TLS sockets alike. The server never listens: connections are
// emitted into it.
import type { Server } from "node:http";
import { createServer } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Downstream } from "../../exchange/downstream.ts";
import type { FailureCode } from "../../exchange/failure.ts";
import type { HttpConnection } from "./connection.ts";
import { Http1Connection } from "./http1-connection.ts";
import { Http1Request, Http1Response } from "./http1-messages.ts";
import type { ListenerState } from "./listener-state.ts";

const maxCheckIntervalMs = 1000;

export class Http1Server {
  readonly #state: ListenerState;
  readonly #server: Server<typeof Http1Request, typeof Http1Response>;
  readonly #connections = new WeakMap<Duplex, Http1Connection>();

  constructor(state: ListenerState) {
    this.#state = state;
    const { limits } = state.context;
    this.#server = createServer({
      IncomingMessage: Http1Request,
      ServerResponse: Http1Response,
      maxHeaderSize: limits.maxHeadBytes,
      headersTimeout: limits.requestHeadTimeoutMs,
      // Bodies may take as long as they like while they move; the proxy ends streams that do not.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.min(maxCheckIntervalMs, Math.max(1, limits.requestHeadTimeoutMs)),
      keepAliveTimeout: limits.idleTimeoutMs,
      // Checked by http1-head.ts, so that the answer is ours.
      requireHostHeader: false,
      noDelay: true,
    });
    // Node would drop headers beyond its own count silently, a length or a host among them; http1-head.ts refuses instead.
    this.#server.maxHeadersCount = 0;
    this.#server.on("request", (request, response) => this.#receive(request, response, false));
    this.#server.on("checkContinue", (request, response) => this.#receive(request, response, true));
    this.#server.on("checkExpectation", (request, response) => this.#receive(request, response, false));
    this.#server.on("upgrade", (request: Http1Request, socket, early) => this.#upgrade(request, socket, early));
    this.#server.on("connect", (_request, socket) => this.#refuse(socket, "not_implemented"));
    this.#server.on("clientError", (error, socket) => this.#refuse(socket, failureOf(error, socket)));
    // Node starts its clock for head timeouts when a server begins to listen, which this one never does.
    this.#server.emit("listening");
  }

  /** @param socket a TCP or TLS socket from which nothing was read, or put back */
  accept(socket: Socket, downstream: Downstream): HttpConnection {
    const { context, isDraining } = this.#state;
    const connection = new Http1Connection({ socket, downstream, context, isDraining });
    this.#connections.set(socket, connection);
    this.#server.emit("connection", socket);
    return connection;
  }

  /** Stops the clock; open connections go on. */
  close(): void {
    this.#server.close();
  }

  #receive(request: Http1Request, response: Http1Response, awaitsContinue: boolean): void {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined) request.socket.destroy();
    else connection.receive({ request, response, awaitsContinue });
  }

  #upgrade(request: Http1Request, socket: Duplex, early: Buffer): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) socket.destroy();
    else connection.upgrade(request, early);
  }

  #refuse(socket: Duplex, failure: FailureCode | null): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined || failure === null) socket.destroy();
    else connection.refuse(failure);
  }
}

/** Null when there is nobody to answer. */
function failureOf(error: Error & { code?: string }, socket: Duplex): FailureCode | null {
  const code = error.code ?? "";
  // A connection that never said anything is closed as it lived.
  if (socket instanceof Socket && socket.bytesRead === 0) return null;
  if (code === "HPE_HEADER_OVERFLOW") return "head_too_large";
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "head_timeout";
  return code.startsWith("HPE_") ? "bad_request" : null;
}
