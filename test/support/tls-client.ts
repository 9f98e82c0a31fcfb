// TLS clients as attackers and operators run them: Node's own, which sends its request before it knows whether it is welcome, and
// openssl s_client.
import { execFile } from "node:child_process";
import { once } from "node:events";
import type { ClientHttp2Session, OutgoingHttpHeaders } from "node:http2";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectInClear } from "node:net";
import type { Socket } from "node:net";
import { connect, TLSSocket } from "node:tls";
import type { ConnectionOptions } from "node:tls";

export const tlsVersions = ["TLSv1.2", "TLSv1.3"] as const;
export type TlsVersionName = (typeof tlsVersions)[number];

export interface TlsAnswer {
  /** Everything the server said after the handshake; empty when it refused. */
  readonly received: string;
  /** Of the first response, 0 without one. */
  readonly status: number;
  /** The last session ticket; a refused client may have got one as well. */
  readonly session: Buffer | undefined;
  readonly isResumed: boolean;
  /** `TLSv1.3`; null when the handshake did not end on this side. */
  readonly protocol: string | null;
}

const timeoutMs = 10_000;

/** Options of a client that speaks one version only. Whom the server claims to be plays no role in who the client is. */
export function clientOf(version: TlsVersionName, options: ConnectionOptions = {}): ConnectionOptions {
  return { minVersion: version, maxVersion: version, rejectUnauthorized: false, ...options };
}

/**
 * Sends `request` on a connection of its own and reads until the server closes it. The request is written before the handshake
 * is over, so that it leaves together with the client's Finished, ahead of whatever the server thinks of the certificate.
 * Refusals are answers; rejects only when nothing happens for ten seconds.
 */
export function askOverTls(port: number, options: ConnectionOptions, request: string): Promise<TlsAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", ...options });
    const chunks: Buffer[] = [];
    let session: Buffer | undefined;
    let protocol: string | null = null;
    let isResumed = false;
    socket.on("session", (ticket) => (session = ticket));
    socket.on("secureConnect", () => {
      protocol = socket.getProtocol();
      isResumed = socket.isSessionReused();
    });
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", ignoreError);
    socket.setTimeout(timeoutMs, () => {
      reject(
        new Error(`the connection neither ended nor moved; received: ${Buffer.concat(chunks).toString("latin1")}`),
      );
      socket.destroy();
    });
    socket.on("close", () => {
      const received = Buffer.concat(chunks).toString("latin1");
      resolve({ received, status: statusOf(received), session, isResumed, protocol });
    });
    socket.write(request, "latin1");
  });
}

/** A request that ends its connection. `head` are further lines. */
export function getRequest(host: string, path: string, ...head: readonly string[]): string {
  return [`GET ${path} HTTP/1.1`, `Host: ${host}`, "Connection: close", ...head, "", ""].join("\r\n");
}

/** A connection, mostly over TLS, that stays open between requests. */
export class KeptConnection {
  readonly socket: Socket;
  #received = "";

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => (this.#received += text));
    socket.on("error", ignoreError);
  }

  static async open(port: number, options: ConnectionOptions): Promise<KeptConnection> {
    const socket = connect({ port, host: "127.0.0.1", ...options });
    const connection = new KeptConnection(socket);
    await once(socket, "secureConnect");
    return connection;
  }

  static async openInClear(port: number): Promise<KeptConnection> {
    const socket = connectInClear(port, "127.0.0.1");
    const connection = new KeptConnection(socket);
    await once(socket, "connect");
    return connection;
  }

  /** Asks for a new handshake in the middle of the connection, which TLS 1.2 knows. */
  renegotiate(): void {
    if (this.socket instanceof TLSSocket) this.socket.renegotiate({ rejectUnauthorized: false }, ignoreError);
  }

  /** Status of the next response; 0 when the connection ends without one. */
  async ask(host: string, path: string): Promise<number> {
    this.#received = "";
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    while (!isComplete(this.#received) && !this.socket.destroyed) {
      await Promise.race([once(this.socket, "data"), once(this.socket, "close")]);
    }
    return statusOf(this.#received);
  }

  async closed(): Promise<void> {
    if (!this.socket.closed) await once(this.socket, "close");
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

/** HTTP/2 on one TLS connection. */
export class Http2Client {
  readonly #session: ClientHttp2Session;

  constructor(port: number, options: ConnectionOptions) {
    const socket = connect({ port, host: "127.0.0.1", ALPNProtocols: ["h2"], ...options });
    this.#session = connectHttp2("https://127.0.0.1", { createConnection: () => socket });
    this.#session.on("error", ignoreError);
  }

  /** Status of the response; 0 when the stream or its connection ends without one. */
  ask(headers: OutgoingHttpHeaders): Promise<number> {
    return new Promise((resolve) => {
      if (this.#session.closed || this.#session.destroyed) return resolve(0);
      const stream = this.#session.request(headers);
      let status = 0;
      stream.on("response", (response) => (status = Number(response[":status"])));
      stream.on("error", ignoreError);
      stream.on("close", () => resolve(status));
      stream.resume();
    });
  }

  async closed(): Promise<void> {
    if (!this.#session.destroyed) await once(this.#session, "close");
  }

  [Symbol.dispose](): void {
    this.#session.destroy();
  }
}

/** One HTTP/2 request on a connection of its own: its status, 0 when refused. */
export async function askOverHttp2(
  port: number,
  options: ConnectionOptions,
  headers: OutgoingHttpHeaders,
): Promise<number> {
  using client = new Http2Client(port, options);
  return await client.ask(headers);
}

/** What `openssl s_client` printed, both streams, after it sent `request` and the server closed the connection. Never rejects. */
export function openssl(port: number, args: readonly string[], request: string): Promise<string> {
  const all = ["s_client", "-connect", `127.0.0.1:${port}`, "-ign_eof", ...args];
  return new Promise((resolve) => {
    const child = execFile("openssl", all, { encoding: "latin1", timeout: timeoutMs }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
    child.stdin?.on("error", ignoreError);
    child.stdin?.end(request);
  });
}

export const opensslVersion = { "TLSv1.2": "-tls1_2", "TLSv1.3": "-tls1_3" } as const satisfies Record<
  TlsVersionName,
  string
>;

function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /m.exec(text)?.[1] ?? 0);
}

/** True for a whole response with a length; what Sluice and httpbin send here has one. */
function isComplete(text: string): boolean {
  const headEnd = text.indexOf("\r\n\r\n");
  const length = /^content-length: (\d+)\r$/im.exec(text)?.[1];
  return headEnd >= 0 && text.length - headEnd - 4 >= Number(length ?? 0);
}

function ignoreError(): void {
  // Followed by close, which is what is waited for.
}
