// A TCP client for what fetch hides or refuses: several requests on one socket, half answers, resets.
import { once } from "node:events";
import { connect } from "node:net";

export interface RawAnswer {
  readonly text: string;
  /** "end" for an orderly close, else the code of the socket's error, e.g. "ECONNRESET". */
  readonly ending: string;
}

/** Sends the lines as one head and reads until the server ends the connection, one way or the other. */
export async function sendRaw(port: number, ...lines: string[]): Promise<RawAnswer> {
  const socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  let ending = "end";
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", (error: NodeJS.ErrnoException) => {
    ending = error.code ?? error.message;
  });
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  socket.write([...lines, "", ""].join("\r\n"));
  await closed;
  return { text: Buffer.concat(chunks).toString("latin1"), ending };
}
