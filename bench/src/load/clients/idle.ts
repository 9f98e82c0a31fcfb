// Connections that have asked once and stay: opens them, says how many there are, and holds them until it is ended.
import { connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";
import { Http1Connection } from "./http1-connection.ts";
import { readOptions } from "./samples.ts";

export interface IdleOptions {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly connections: number;
  readonly isSecure: boolean;
}

/** Being opened at a time. */
const atOnce = 100;

const options = readOptions() as IdleOptions;
const request = Buffer.from(`GET ${options.path} HTTP/1.1\r\nHost: ${options.host}\r\n\r\n`);
const held: Http1Connection[] = [];
let left = options.connections;

function openNext(): Promise<void> {
  if (left-- <= 0) return Promise.resolve();
  return open().then(openNext);
}

function open(): Promise<void> {
  const { port, host, isSecure } = options;
  const socket = isSecure
    ? connectTls({ port, host: "127.0.0.1", servername: host, rejectUnauthorized: false })
    : connectPlain(port, "127.0.0.1");
  return new Promise((resolve) => {
    const connection = new Http1Connection(socket, (_connection, isOk) => {
      if (isOk) held.push(connection);
      resolve();
    });
    connection.isBusy = true;
    socket.once(isSecure ? "secureConnect" : "connect", () => connection.send(request, 0));
  });
}

await Promise.all(Array.from({ length: atOnce }, openNext));
process.stdout.write(`${held.length}\n`);
