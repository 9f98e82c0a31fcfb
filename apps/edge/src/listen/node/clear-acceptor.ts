// Which version of HTTP a cleartext connection speaks. A client that knows it may speak HTTP/2 begins with its preface (RFC 9113, 3.3);
// everything else is HTTP/1.1, also what only begins like the preface.
import type { Socket } from "node:net";
import type { HttpConnection } from "./connection.ts";

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export interface ClearAcceptor {
  readonly onHttp1: (socket: Socket) => void;
  readonly onHttp2: (socket: Socket) => void;
  /** How long a client may take to send its first bytes. */
  readonly timeoutMs: number;
}

/** Reads until it is clear which version is spoken, puts back what it read and hands the socket over. What it returns stands for the connection until then. */
export function acceptClear(socket: Socket, { onHttp1, onHttp2, timeoutMs }: ClearAcceptor): HttpConnection {
  let received: Buffer = Buffer.alloc(0);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("data", onData).off("end", onEnd).off("close", stop);
  };
  const handOver = (accept: (socket: Socket) => void): void => {
    stop();
    socket.pause();
    if (received.length > 0) socket.unshift(received);
    accept(socket);
  };
  const onData = (chunk: Buffer): void => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const length = Math.min(received.length, preface.length);
    if (received.compare(preface, 0, length, 0, length) !== 0) {
      handOver(onHttp1);
      // node:http does not resume what somebody else has paused.
      socket.resume();
      return;
    }
    if (length === preface.length) handOver(onHttp2);
  };
  // Part of a preface and no more, or nothing at all: nobody waits for an answer.
  const onEnd = (): void => void socket.destroy();
  const timer = setTimeout(() => socket.destroy(), timeoutMs);
  socket.on("data", onData).on("end", onEnd).on("close", stop);
  // Whoever read from it before may have paused it.
  socket.resume();
  return { drain: () => socket.destroy() };
}
