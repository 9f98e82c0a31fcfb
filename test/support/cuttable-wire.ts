// A wire between two machines that a story can cut: bytes are forwarded until then, and afterwards nothing comes through and nothing is said,
// as when a cable is pulled. Mended, what was connected is gone and new connections come through.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class CuttableWire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Forwards connections to `host`:(its own port) to a URL's host and port. */
  static async to(target: string, host: string): Promise<CuttableWire> {
    const { hostname, port } = new URL(target);
    const server = createServer();
    const wire = new CuttableWire(server);
    server.on("connection", (near) => wire.#connect(near, { host: hostname, port: Number(port) }));
    server.listen(0, host);
    await once(server, "listening");
    return wire;
  }

  get url(): string {
    const { address, port } = this.#server.address() as AddressInfo;
    return `http://${address}:${port}`;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  mend(): void {
    this.#isCut = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  #connect(near: Socket, target: { readonly host: string; readonly port: number }): void {
    this.#keep(near);
    if (this.#isCut) return;
    const far = connect(target);
    this.#keep(far);
    near.pipe(far);
    far.pipe(near);
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
