// New TLS connections, one after the other on each of a few lanes: TCP, handshake, one request, its answer, close. With `isResumed` each
// takes the session of the one before; one that is not what it should be (resumed or not) is an error.
import { connect, type TLSSocket } from "node:tls";
import { Http1Connection } from "./http1-connection.ts";
import { finish, readOptions, Samples } from "./samples.ts";

export interface HandshakeOptions {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  /** Handshakes under way at a time. */
  readonly connections: number;
  readonly seconds: number;
  readonly isResumed: boolean;
}

const options = readOptions() as HandshakeOptions;
const request = Buffer.from(`GET ${options.path} HTTP/1.1\r\nHost: ${options.host}\r\n\r\n`);
const samples = new Samples();
let isOver = false;

function handshake(session: Buffer | undefined): void {
  const socket: TLSSocket = connect({
    port: options.port,
    host: "127.0.0.1",
    servername: options.host,
    rejectUnauthorized: false,
    ...(session === undefined ? {} : { session }),
  });
  // The ticket for the next; with TLS 1.3 it comes with or after the first bytes.
  let next = session;
  if (options.isResumed) socket.on("session", (ticket) => (next = ticket));
  const startedAt = performance.now();
  const connection = new Http1Connection(socket, (_connection, isOk) => {
    const isExpected = socket.isSessionReused() === options.isResumed || session === undefined;
    if (isOk && isExpected) samples.add(performance.now() - startedAt);
    else samples.errors += 1;
    socket.destroy();
    if (!isOver) handshake(next);
  });
  // Before the handshake is over it counts as under way, so that a refusal is seen.
  connection.isBusy = true;
  socket.once("secureConnect", () => connection.send(request, startedAt));
}

for (let lane = 0; lane < options.connections; lane++) handshake(undefined);
setTimeout(() => {
  isOver = true;
  finish(samples.report(options.seconds));
}, options.seconds * 1000);
