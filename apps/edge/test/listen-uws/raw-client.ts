// A client that sends exactly the bytes it is told and keeps all it gets.
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export class RawClient {
  /** latin1: one char a byte. */
  received = "";
  receivedBytes = 0;
  /** Keep the text too; off for big answers. */
  keeps = true;
  readonly socket: Socket;
  /** `end`, or the code of the error that ended it. */
  readonly closed: Promise<string>;
  private wake: () => void = () => {};
  private isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    let reason = "end";
    socket.on("data", (chunk: Buffer) => {
      this.receivedBytes += chunk.length;
      if (this.keeps) this.received += chunk.toString("latin1");
      this.wake();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      reason = error.code ?? error.message;
    });
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        this.isClosed = true;
        this.wake();
        resolve(reason);
      });
    });
  }

  send(text: string | Buffer): this {
    this.socket.write(typeof text === "string" ? Buffer.from(text, "latin1") : text);
    return this;
  }

  /** Resolves when `isEnough` holds; rejects when the connection closes before. */
  async until(isEnough: (received: string) => boolean): Promise<string> {
    while (!isEnough(this.received)) {
      if (this.isClosed) throw new Error(`closed after ${JSON.stringify(this.received)}`);
      // One event at a time is the point.
      // eslint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    return this.received;
  }

  /** Everything up to the end of the connection. */
  async all(): Promise<string> {
    await this.closed;
    return this.received;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

export function rawClient(port: number): RawClient {
  return new RawClient(connect(port, "127.0.0.1"));
}

export interface TlsClientOptions {
  readonly servername?: string;
  readonly version?: "TLSv1.2" | "TLSv1.3";
  readonly session?: Buffer;
  readonly alpn?: string[];
}

/** Resolves to a connected client, or to the error of the handshake. */
export function tlsClient(
  port: number,
  options: TlsClientOptions,
): Promise<{ client: RawClient; commonName: string; isResumed: boolean; session: Promise<Buffer> } | Error> {
  const { servername = "", version, session, alpn } = options;
  return new Promise((resolve) => {
    const socket = connectTls({
      port,
      host: "127.0.0.1",
      servername,
      rejectUnauthorized: false,
      ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
      ...(session === undefined ? {} : { session }),
      ...(alpn === undefined ? {} : { ALPNProtocols: alpn }),
    });
    const client = new RawClient(socket);
    const newSession = new Promise<Buffer>((done) => socket.once("session", done));
    socket.once("error", resolve);
    socket.once("secureConnect", () => {
      const isResumed = socket.isSessionReused();
      const certificate = socket.getPeerCertificate() as { subject?: { CN?: string } };
      resolve({ client, commonName: certificate.subject?.CN ?? "", isResumed, session: newSession });
    });
  });
}

/** `GET path` with a Host. */
export function get(path: string, headers = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${headers}\r\n`;
}

/** True when text holds `count` complete responses whose bodies are `body`. */
export function hasResponses(count: number, body: string): (received: string) => boolean {
  return (received) => received.split(`\r\n\r\n${body}`).length - 1 >= count;
}
