// A client's connection with one HTTP/1.1 request under way at a time, read just far enough to know where an answer ends.
import type { Socket } from "node:net";

const headEnd = Buffer.from("\r\n\r\n");

/** Told of every answer, and of an end that came under a request (`isOk` false both then and for other statuses than 2xx). */
export type OnAnswer = (connection: Http1Connection, isOk: boolean) => void;

export class Http1Connection {
  readonly socket: Socket;
  /** When the request under way should have been sent, as of `performance.now()`. */
  startedAt = 0;
  isBusy = false;
  readonly #onAnswer: OnAnswer;
  #head: Buffer = Buffer.alloc(0);
  /** Bytes of the body still to come; -1 while the head is read. */
  #missing = -1;
  #isOk = false;

  constructor(socket: Socket, onAnswer: OnAnswer) {
    this.socket = socket;
    this.#onAnswer = onAnswer;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (this.isBusy) this.#finish(false);
    });
  }

  send(request: Buffer, startedAt: number): void {
    this.startedAt = startedAt;
    this.isBusy = true;
    this.socket.write(request);
  }

  #read(chunk: Buffer): void {
    let body = chunk.length;
    if (this.#missing < 0) {
      const text = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
      const end = text.indexOf(headEnd);
      if (end < 0) {
        this.#head = text;
        return;
      }
      this.#readHead(text.toString("latin1", 0, end));
      this.#head = Buffer.alloc(0);
      body = text.length - end - headEnd.length;
    }
    this.#missing -= body;
    if (this.#missing <= 0) this.#finish(this.#isOk && this.#missing === 0);
  }

  #readHead(head: string): void {
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    // An answer without a length is none of the backend's.
    this.#isOk = head.startsWith("HTTP/1.1 2") && length !== undefined;
    this.#missing = Number(length ?? 0);
  }

  #finish(isOk: boolean): void {
    this.isBusy = false;
    this.#missing = -1;
    this.#onAnswer(this, isOk);
  }
}
