// A TCP server that echoes, says first who it is, or does what the story tells it to.
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export class RawUpstream implements AsyncDisposable {
  readonly sockets: Socket[] = [];
  readonly #server: Server;

  private constructor(server: Server, onConnection: (socket: Socket) => void) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      socket.on("error", () => undefined);
      this.sockets.push(socket);
      onConnection(socket);
    });
  }

  static async listen(onConnection: (socket: Socket) => void = () => undefined): Promise<RawUpstream> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new RawUpstream(server, onConnection);
  }

  /** Greets with its name, then echoes until the client has said all. */
  static echo(name: string): Promise<RawUpstream> {
    return RawUpstream.listen((socket) => {
      socket.write(`${name}\n`);
      socket.pipe(socket);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The connection with this number, in the order accepted. */
  async socket(index = 0): Promise<Socket> {
    while (this.sockets[index] === undefined) await once(this.#server, "connection");
    return this.sockets[index];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
