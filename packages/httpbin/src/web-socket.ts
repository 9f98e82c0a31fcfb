// /ws: a WebSocket that echoes every message, text as text and binary as binary.
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";

const maxMessageBytes = 64 * 1024 * 1024;
const notFound = Buffer.from('{"error":{"status":404,"message":"only /ws can be upgraded"}}\n');
const refusal = Buffer.concat([
  Buffer.from(
    `HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\ncontent-length: ${notFound.length}\r\nconnection: close\r\n\r\n`,
  ),
  notFound,
]);

/** What node:http hands over with its "upgrade" event; the first subprotocol offered is accepted. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export function createEcho(): UpgradeHandler {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => {
      // One message at a time: a client that sends and does not read must not fill this process's memory.
      socket.pause();
      socket.send(data, { binary: isBinary }, () => socket.resume());
    });
    // A protocol error closes this socket with the right code by itself; without a listener it would end the process.
    socket.on("error", () => {});
  });
  return (request, socket, head) => {
    const path = (request.url ?? "").split("?", 1)[0];
    if (path === "/ws") {
      sockets.handleUpgrade(request, socket, head, (webSocket) => sockets.emit("connection", webSocket, request));
    } else {
      socket.on("error", () => {});
      socket.end(refusal);
    }
  };
}
