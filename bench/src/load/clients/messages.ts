// WebSocket messages, one under way on each connection: sent masked as clients must, counted when the echo is there, byte for byte.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { finish, readOptions, Samples } from "./samples.ts";

export interface MessageOptions {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** At most 125: longer ones have another header. */
  readonly messageBytes: number;
}

const options = readOptions() as MessageOptions;
const payload = Buffer.from("sluice ".repeat(18).slice(0, options.messageBytes));
const mask = Buffer.from([0x13, 0x57, 0x9b, 0xdf]);
// RFC 6455 section 5.2: final binary frame; mask bit and length; mask; payload.
const frame = Buffer.concat([
  Buffer.from([0x82, 0x80 | payload.length]),
  mask,
  payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0)),
]);
const echo = Buffer.concat([Buffer.from([0x82, payload.length]), payload]);
const samples = new Samples();
let isOver = false;

async function open(): Promise<Socket> {
  const socket = connect(options.port, "127.0.0.1");
  socket.setNoDelay(true);
  socket.write(
    `GET ${options.path} HTTP/1.1\r\nHost: ${options.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  const [head] = (await once(socket, "data")) as [Buffer];
  const text = head.toString("latin1");
  if (!text.startsWith("HTTP/1.1 101")) throw new Error(`no WebSocket: ${text.slice(0, 100)}`);
  return socket;
}

function talk(socket: Socket): void {
  let received: Buffer = Buffer.alloc(0);
  let startedAt = 0;
  const send = () => {
    startedAt = performance.now();
    socket.write(frame);
  };
  socket.on("data", (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    if (received.length < echo.length) return;
    if (received.equals(echo)) samples.add(performance.now() - startedAt);
    else samples.errors += 1;
    received = Buffer.alloc(0);
    send();
  });
  socket.on("error", () => socket.destroy());
  socket.on("close", () => {
    if (!isOver) samples.errors += 1;
  });
  send();
}

const sockets = await Promise.all(Array.from({ length: options.connections }, open));
for (const socket of sockets) talk(socket);
setTimeout(() => {
  isOver = true;
  finish(samples.report(options.seconds));
}, options.seconds * 1000);
