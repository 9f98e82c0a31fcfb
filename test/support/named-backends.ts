// Backends that say who they are: the way to see which endpoint a request went to. What one answers can be changed as a test goes on.
import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export class NamedBackend implements AsyncDisposable {
  readonly name: string;
  /** Of every answer from now on. */
  status = 200;
  /** Requests that came. */
  requests = 0;
  readonly #server: Server;

  private constructor(name: string) {
    this.name = name;
    this.#server = createServer((_request, response) => {
      this.requests++;
      response.writeHead(this.status, { "x-backend": name });
      response.end(name);
    });
  }

  /** Listens on a free port of 127.0.0.1, on an address and port, or on a Unix socket. */
  static async start(
    name: string,
    at: { readonly host?: string; readonly port?: number; readonly path?: string } = {},
  ): Promise<NamedBackend> {
    const backend = new NamedBackend(name);
    backend.#server.listen(at.path === undefined ? { host: "127.0.0.1", port: 0, ...at } : { path: at.path });
    await once(backend.#server, "listening");
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }
}

export interface Told {
  readonly status: number;
  /** Name of the backend that answered; empty when none did. */
  readonly backend: string;
}

/** Asks a gateway on a connection of its own: any worker may take it. */
export function askFor(
  port: number,
  host: string,
  options: { readonly path?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Told> {
  const { path = "/", headers = {} } = options;
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, agent: false, headers: { host, ...headers } });
    sent.on("error", reject);
    sent.on("response", (response) => {
      const backend = response.headers["x-backend"];
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, backend: typeof backend === "string" ? backend : "" }),
      );
      response.resume();
    });
    sent.end();
  });
}
