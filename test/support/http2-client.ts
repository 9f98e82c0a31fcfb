// HTTP/2 as a client sees it, stream by stream: a reset is told apart from an end.
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { once } from "node:events";

export interface StreamResult {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
  /** True when the server ended the stream in order. */
  readonly isComplete: boolean;
}

/** A session with `host` on a port of this machine; closed by `await using`. */
export class Http2Client {
  readonly session: ClientHttp2Session;

  constructor(session: ClientHttp2Session) {
    this.session = session;
  }

  static async connect(port: number, host: string, ca: string): Promise<Http2Client> {
    const session = connect(`https://127.0.0.1:${port}`, { servername: host, ca });
    // Told to the streams as well.
    session.on("error", () => {});
    await once(session, "connect");
    return new Http2Client(session);
  }

  /** Sends a request and reads the answer to its end or reset. Never rejects. */
  request(headers: Readonly<Record<string, string | string[]>>, body?: Buffer): Promise<StreamResult> {
    return new Promise((resolve) => {
      const stream = this.session.request({ ...headers }, { endStream: body === undefined });
      const chunks: Buffer[] = [];
      let answer: Record<string, string | string[] | undefined> = {};
      let hasEnded = false;
      let hasFailed = false;
      stream.on("response", (received) => (answer = received as typeof answer));
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => (hasEnded = true));
      stream.on("error", () => (hasFailed = true));
      stream.on("close", () => {
        const isComplete = hasEnded && !hasFailed && stream.rstCode === constants.NGHTTP2_NO_ERROR;
        resolve({ status: Number(answer[":status"] ?? 0), headers: answer, body: Buffer.concat(chunks), isComplete });
      });
      if (body !== undefined) stream.end(body);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.session.destroyed) return;
    const closed = once(this.session, "close");
    this.session.destroy();
    await closed;
  }
}
