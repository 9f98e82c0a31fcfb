// One connection, byte for byte: what clients that are no HTTP library send, and everything that comes back.
import { connect, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";

export interface Reply {
  /** Everything received, one character a byte. */
  readonly text: string;
  /** How it ended: the peer's FIN, a reset, or the caller had enough. */
  readonly end: "closed" | "reset" | "enough";
}

export interface TalkOptions {
  /** Ends the talk when true of everything received so far; otherwise it goes on until the peer closes. */
  readonly until?: (text: string) => boolean;
  /** Ends the client's half after the last piece. */
  readonly half?: boolean;
}

const patienceMs = 25_000;

export function clear(port: number): Socket {
  return connect({ host: "127.0.0.1", port, allowHalfOpen: true });
}

export function secure(port: number, options: ConnectionOptions): Socket {
  return connectTls({ host: "127.0.0.1", port, ...options });
}

/** Sends the pieces, each in a write of its own, and collects the answer. Rejects only when neither side ends it. */
export function talk(socket: Socket, pieces: string | readonly string[], options: TalkOptions = {}): Promise<Reply> {
  const { until = () => false, half = false } = options;
  return new Promise((resolve, reject) => {
    let text = "";
    const settle = (end: Reply["end"]) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, end });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end after ${patienceMs} ms; received: ${JSON.stringify(text.slice(0, 500))}`));
    }, patienceMs);
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (until(text)) settle("enough");
    });
    socket.on("end", () => settle("closed"));
    socket.on("close", () => settle("closed"));
    socket.on("error", () => settle("reset"));
    socket.setNoDelay(true);
    for (const piece of typeof pieces === "string" ? [pieces] : pieces) socket.write(piece, "latin1");
    if (half) socket.end();
  });
}

export interface Message {
  readonly status: number;
  /** Header lines as received, without the status line. */
  readonly lines: readonly string[];
  /** By lower-case name; the last of repeated ones. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The first response of a text; its body is all that follows. Null when there is no complete head. */
export function readMessage(text: string): Message | null {
  const end = text.indexOf("\r\n\r\n");
  if (!text.startsWith("HTTP/1.1 ") || end < 0) return null;
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const pairs = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(statusLine.split(" ")[1]),
    lines,
    headers: Object.fromEntries(pairs),
    body: text.slice(end + 4),
  };
}

/** For `until`: a response with Content-Length (or none expected) is there entirely. */
export function hasWholeMessage(text: string): boolean {
  const message = readMessage(text);
  if (message === null) return false;
  const { headers, body } = message;
  if (headers["transfer-encoding"] === "chunked") return body.endsWith("0\r\n\r\n");
  return body.length >= Number(headers["content-length"] ?? 0);
}

/** The statuses of all responses in a text that holds nothing else of that form. */
export function statusesIn(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

/** One connection that asks several times, each after the answer before. */
export class Conversation {
  readonly #socket: Socket;
  #text = "";
  #wake: () => void = () => {};
  #isOver = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("latin1");
      this.#wake();
    });
    for (const event of ["end", "error", "close"])
      socket.on(event, () => {
        this.#isOver = true;
        this.#wake();
      });
  }

  /** True when the server has ended the connection. */
  get isOver(): boolean {
    return this.#isOver;
  }

  send(bytes: string): void {
    this.#socket.write(bytes, "latin1");
  }

  /** Everything up to where `isComplete` first holds, taken out of what was received. Rejects when the connection ends before. */
  async receive(isComplete: (text: string) => boolean): Promise<string> {
    while (!isComplete(this.#text)) {
      if (this.#isOver) throw new Error(`the connection ended after ${JSON.stringify(this.#text)}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    const text = this.#text;
    this.#text = "";
    return text;
  }

  async ask(bytes: string, isComplete = hasWholeMessage): Promise<Message> {
    this.send(bytes);
    return readMessage(await this.receive(isComplete)) as Message;
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
