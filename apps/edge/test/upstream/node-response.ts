// Reads a response with Node's own HTTP client, the second opinion of the differential test.
import { type IncomingMessage, request } from "node:http";
import { Duplex } from "node:stream";

export interface NodeResponse {
  status: number;
  /** Flat, lower-case names. */
  headers: string[];
  body: string;
}

/** A connection that answers with the given pieces, then closes. */
class ScriptedSocket extends Duplex {
  private readonly pieces: Buffer[];

  constructor(pieces: readonly string[]) {
    super({ autoDestroy: false });
    this.pieces = pieces.map((piece) => Buffer.from(piece, "latin1"));
  }

  override _read(): void {
    // Pushing starts when the request is out.
  }

  override _write(_chunk: Buffer, _encoding: string, done: () => void): void {
    done();
    for (const piece of this.pieces.splice(0)) this.push(piece);
    this.push(null);
  }
}

/** What Node makes of it, or the code of its error. */
export function readWithNode(pieces: readonly string[], method: string): Promise<NodeResponse | string> {
  return new Promise((resolve) => {
    const socket = new ScriptedSocket(pieces);
    const finish = (result: NodeResponse | string): void => {
      resolve(result);
      socket.destroy();
    };
    const outgoing = request({
      method,
      maxHeaderSize: 1024 * 1024,
      createConnection: () => socket,
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    outgoing.on("upgrade", () => finish("upgrade"));
    outgoing.on("response", (incoming: IncomingMessage) => {
      let body = "";
      incoming.setEncoding("latin1");
      incoming.on("data", (chunk: string) => (body += chunk));
      incoming.on("error", (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
      incoming.on("end", () => {
        const headers = incoming.rawHeaders.map((part, index) => (index % 2 === 0 ? part.toLowerCase() : part));
        finish(incoming.complete ? { status: incoming.statusCode ?? 0, headers, body } : "incomplete");
      });
      incoming.on("close", () => finish("closed"));
    });
    outgoing.end();
  });
}
