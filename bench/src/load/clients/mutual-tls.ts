// HTTP/1.1 requests over kept connections of mutual TLS, closed loop: wrk and h2load have no way to show a certificate.
import { readFileSync } from "node:fs";
import { connect } from "node:tls";
import { Http1Connection } from "./http1-connection.ts";
import { finish, readOptions, Samples } from "./samples.ts";

export interface MutualTlsOptions {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  readonly client: { readonly certificate: string; readonly key: string };
}

const options = readOptions() as MutualTlsOptions;
const request = Buffer.from(`GET ${options.path} HTTP/1.1\r\nHost: ${options.host}\r\n\r\n`);
const cert = readFileSync(options.client.certificate);
const key = readFileSync(options.client.key);
const samples = new Samples();
let isRunning = false;

function onAnswer(connection: Http1Connection, isOk: boolean): void {
  if (!isRunning) return;
  const now = performance.now();
  if (isOk) samples.add(now - connection.startedAt);
  else samples.errors += 1;
  if (!connection.socket.destroyed) connection.send(request, now);
}

/** Resolves with a connection that may be used. */
function open(): Promise<Http1Connection> {
  const { port, host: servername } = options;
  const socket = connect({ port, host: "127.0.0.1", servername, rejectUnauthorized: false, cert, key });
  const connection = new Http1Connection(socket, onAnswer);
  return new Promise((resolve, reject) => {
    socket.once("secureConnect", () => resolve(connection));
    socket.once("close", () => reject(new Error("a connection ended before its handshake did")));
  });
}

const connections = await Promise.all(Array.from({ length: options.connections }, open));
isRunning = true;
for (const connection of connections) connection.send(request, performance.now());
setTimeout(() => {
  isRunning = false;
  finish(samples.report(options.seconds));
}, options.seconds * 1000);
