// A backend over HTTP/2 without TLS that makes bodies of any size and swallows them: `/bytes/N` and `/upload`, as httpbin answers them.
import { once } from "node:events";
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";

const piece = Buffer.alloc(64 * 1024, "sluice");

export interface LargeBodyBackend {
  readonly port: number;
  close(): Promise<void>;
}

export async function startLargeBodyBackend(): Promise<LargeBodyBackend> {
  const sessions = new Set<ServerHttp2Session>();
  // Wide windows: the backend is not to be what is slow.
  const server = createServer({ settings: { initialWindowSize: 1024 * 1024 } });
  server.on("session", (session) => {
    session.setLocalWindowSize(16 * 1024 * 1024);
    sessions.add(session);
    session.on("error", () => {}).on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    const path = headers[":path"] ?? "";
    if (path.startsWith("/bytes/")) void download(stream, Number.parseInt(path.slice("/bytes/".length), 10));
    else upload(stream);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function download(stream: ServerHttp2Stream, length: number): Promise<void> {
  stream.respond({ ":status": 200 });
  const gone = new Promise((resolve) => stream.once("close", resolve));
  for (let left = length; left > piece.length && !stream.destroyed; left -= piece.length) {
    // eslint-disable-next-line no-await-in-loop
    if (!stream.write(piece)) await Promise.race([once(stream, "drain"), gone]);
  }
  // With the last piece, not behind it: node:http2 would reset the stream where no window is left for another frame.
  stream.end(piece.subarray(0, length % piece.length || piece.length));
}

function upload(stream: ServerHttp2Stream): void {
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
  stream.on("end", () => {
    if (stream.destroyed) return;
    stream.respond({ ":status": 200 });
    stream.end(JSON.stringify({ bytes }));
  });
}
