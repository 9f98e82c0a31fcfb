// A site for browsers: a page of many parts, uploads that are summed up, events, WebSockets, a body of any size and one without end.
import { createHash } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

const MiB = 1024 * 1024;
const filler = Buffer.alloc(MiB, "sluice gate ");

/** What `/large/N` says, N in mebibytes. */
export function largeBodySum(mebibytes: number): string {
  const hash = createHash("sha256");
  for (let i = 0; i < mebibytes; i++) hash.update(filler);
  return hash.digest("hex");
}

export class PageBackend implements AsyncDisposable {
  /** `abandoned`, when the client of `/endless` is gone. */
  readonly events = new EventEmitter();
  readonly #server: Server;
  readonly #sockets: WebSocketServer;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#sockets = new WebSocketServer({ server: this.#server, maxPayload: 16 * MiB });
    this.#sockets.on("connection", (socket) =>
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary })),
    );
  }

  static async start(): Promise<PageBackend> {
    const backend = new PageBackend();
    backend.#server.listen(0, "127.0.0.1");
    await once(backend.#server, "listening");
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, name = "", parameter = ""] = (request.url ?? "").split("/");
    switch (name) {
      case "page":
        return sendPage(response, Number(parameter));
      case "part":
        return sendPart(response, Number(parameter));
      case "upload":
        return sendSum(request, response);
      case "events":
        return sendEvents(response);
      case "large":
        return sendLarge(response, Number(parameter));
      case "endless":
        response.once("close", () => this.events.emit("abandoned"));
        return sendLarge(response, Infinity);
      default:
        response.writeHead(404).end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** A document whose scripts count themselves. */
function sendPage(response: ServerResponse, parts: number): void {
  const scripts = Array.from({ length: parts }, (_, i) => `<script async src="/part/${i}"></script>`).join("\n");
  response.writeHead(200, { "content-type": "text/html", "cache-control": "no-store" });
  response.end(
    `<!doctype html><title>page</title><link rel="icon" href="data:,"><script>loaded = [];</script>\n${scripts}`,
  );
}

/** Each of another size, up to a few windows of HTTP/2. */
function sendPart(response: ServerResponse, number: number): void {
  response.writeHead(200, { "content-type": "text/javascript", "cache-control": "no-store" });
  response.end(`loaded.push(${number});\n//${"x".repeat(number * 1500)}`);
}

async function sendSum(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash("sha256");
  for await (const chunk of request as AsyncIterable<Buffer>) hash.update(chunk);
  response.end(hash.digest("hex"));
}

/** Three events, each by itself, and then silence. */
function sendEvents(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  for (let i = 1; i <= 3; i++) setTimeout(() => response.write(`id: ${i}\ndata: event ${i}\n\n`), i * 20);
}

async function sendLarge(response: ServerResponse, mebibytes: number): Promise<void> {
  const gone = new Promise((resolve) => response.once("close", resolve));
  response.writeHead(200, { "content-type": "application/octet-stream", "cache-control": "no-store" });
  for (let i = 0; i < mebibytes && !response.destroyed; i++) {
    // As fast as the client takes it, and no faster.
    // eslint-disable-next-line no-await-in-loop
    if (!response.write(filler)) await Promise.race([once(response, "drain"), gone]);
  }
  response.end();
}
