// A backend that answers when the story says so, and counts the connections it is asked on. Over HTTP/1.1, or HTTP/2 without TLS.
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2ServerResponse, type ServerHttp2Session } from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";

type Response = ServerResponse | Http2ServerResponse;

export class HoldingBackend implements AsyncDisposable {
  /** In the order accepted, closed ones too. */
  readonly sockets: Socket[] = [];
  /** Requests on each, in the same order. */
  readonly requestCounts: number[] = [];
  /** Most requests at once on one connection. */
  mostAtOnce = 0;
  readonly #server: Server;
  readonly #held: { readonly socket: Socket; readonly response: Response }[] = [];
  /** False: requests are answered at once. */
  readonly #holds: boolean;

  private constructor(protocol: "h1" | "h2", holds: boolean) {
    this.#holds = holds;
    const server = protocol === "h1" ? createServer({ keepAliveTimeout: 0 }) : createHttp2Server();
    server.on("connection", (socket: Socket) => {
      this.sockets.push(socket);
      this.requestCounts.push(0);
      socket.on("error", () => {});
    });
    server.on("session", (session: ServerHttp2Session) => session.on("error", () => {}));
    server.on("request", (request: { socket: Socket; stream?: { session?: { socket: Socket } } }, response: Response) =>
      // node:http2 hands out a proxy of the socket; its port names it.
      this.#take(this.#indexOf((request.stream?.session?.socket ?? request.socket).remotePort), response),
    );
    this.#server = server;
  }

  static async start(protocol: "h1" | "h2" = "h1", holds = true): Promise<HoldingBackend> {
    const backend = new HoldingBackend(protocol, holds);
    backend.#server.listen(0, "127.0.0.1");
    await once(backend.#server, "listening");
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Requests that wait for their answer. */
  get heldCount(): number {
    return this.#held.length;
  }

  get openCount(): number {
    return this.sockets.filter(({ closed }) => !closed).length;
  }

  /** Answers those that wait. */
  release(): void {
    for (const { response } of this.#held.splice(0)) answer(response);
  }

  #indexOf(remotePort: number | undefined): number {
    return this.sockets.findLastIndex((socket) => socket.remotePort === remotePort);
  }

  #take(index: number, response: Response): void {
    const socket = this.sockets[index] as Socket;
    this.requestCounts[index] = (this.requestCounts[index] ?? 0) + 1;
    if (!this.#holds) return answer(response);
    this.#held.push({ socket, response });
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#held.filter((held) => held.socket === socket).length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

function answer(response: Response): void {
  response.setHeader("content-length", 2);
  response.end("ok");
}
