// A backend behind TLS that tells what it saw: the protocol, the name that was asked for and the certificate it was shown.
import { once } from "node:events";
import {
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type SecureServerOptions,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";

export interface Seen {
  readonly httpVersion: string;
  readonly path: string;
  readonly serverName: string | false | null;
  /** Of the client's certificate; null when none was shown. */
  readonly clientName: string | null;
}

/** Answers every request with what it saw, over HTTP/1.1 and HTTP/2. */
export class TlsBackend implements AsyncDisposable {
  readonly port: number;
  /** Every request that reached it. */
  readonly seen: readonly Seen[];
  private readonly close: () => Promise<void>;

  private constructor(port: number, seen: readonly Seen[], close: () => Promise<void>) {
    this.port = port;
    this.seen = seen;
    this.close = close;
  }

  static async start(options: SecureServerOptions): Promise<TlsBackend> {
    const seen: Seen[] = [];
    const sockets = new Set<Socket>();
    const server = createSecureServer({ allowHTTP1: true, ...options }, (request, response) => {
      seen.push(describe(request));
      answer(response, seen.at(-1));
    });
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
    // A client that does not like the certificate, or has none of its own.
    server.on("tlsClientError", () => undefined);
    server.on("sessionError", () => undefined);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new TlsBackend((server.address() as AddressInfo).port, seen, async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function describe(request: Http2ServerRequest): Seen {
  const socket = (request.httpVersion === "2.0" ? request.stream.session?.socket : request.socket) as TLSSocket;
  // An empty object when there is none.
  const { subject } = socket.getPeerCertificate() as { subject?: { CN: string | string[] } };
  const { servername } = socket as unknown as { servername: string | false | null };
  const clientName = subject === undefined ? null : String(subject.CN);
  return { httpVersion: request.httpVersion, path: request.url, serverName: servername, clientName };
}

function answer(response: Http2ServerResponse, seen: Seen | undefined): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(seen));
}
