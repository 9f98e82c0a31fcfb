// A ctrl reduced to its end of the connection, over mutual TLS.
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { createServer, type Server, type TlsOptions } from "node:tls";
import { type CtrlMessage, type EdgeMessage, encodeFrame, FrameDecoder } from "@sluice/core/wire";

export const welcome: CtrlMessage = { type: "welcome", protocol: 2, ctrlUrl: "http://ctrl", wantsInventory: false };

export class FakeCtrl implements AsyncDisposable {
  readonly name: string;
  readonly #options: TlsOptions;
  /** What is done with a message of an edge; default: it is welcomed. */
  onMessage: (message: EdgeMessage, socket: Socket) => void = (message, socket) => {
    if (message.type === "hello") socket.write(encodeFrame(welcome));
  };
  /** All that ever arrived, as types. */
  readonly heard: string[] = [];
  readonly sockets = new Set<Socket>();
  #server: Server | null = null;
  port = 0;

  constructor(name: string, options: TlsOptions) {
    this.name = name;
    this.#options = options;
  }

  /** On a free port, or on the one it had. */
  async listen(): Promise<this> {
    const server = createServer({ ...this.#options, requestCert: true, rejectUnauthorized: false }, (socket) => {
      const decoder = new FrameDecoder("edge");
      this.sockets.add(socket);
      socket.on("close", () => this.sockets.delete(socket));
      socket.on("error", () => {});
      socket.on("data", (chunk: Buffer) => {
        for (const message of decoder.push(chunk)) {
          this.heard.push(message.type);
          this.onMessage(message, socket);
        }
      });
    });
    server.on("tlsClientError", () => this.heard.push("handshake failed"));
    server.listen(this.port, "127.0.0.1");
    await once(server, "listening");
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** As when its process ends. */
  async die(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = once(server, "close");
    server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.die();
  }
}
