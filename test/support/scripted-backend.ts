// A backend that answers bytes, not responses: every way to be wrong that an HTTP library would not let one be.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** Called with each request's head, as received; writes whatever it likes. */
export type Script = (socket: Socket, head: string) => void;

export interface ScriptedBackend {
  readonly port: number;
  /** Everything received, one text a connection. */
  readonly received: readonly string[];
  close(): Promise<void>;
}

/** Listens on a free port. The script of a request's path answers it. */
export async function startScriptedBackend(scripts: Readonly<Record<string, Script>>): Promise<ScriptedBackend> {
  const received: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const index = received.push("") - 1;
    sockets.add(socket);
    let unread = "";
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk: Buffer) => {
      const text = chunk.toString("latin1");
      received[index] += text;
      unread += text;
      const end = unread.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = unread.slice(0, end + 4);
      unread = unread.slice(end + 4);
      const path = head.split(" ")[1]?.split("?", 1)[0] ?? "";
      const script = scripts[path];
      if (script === undefined) socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      else script(socket, head);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    received,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
