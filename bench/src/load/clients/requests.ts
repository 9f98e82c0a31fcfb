// HTTP/1.1 requests over kept connections, in clear or over TLS. Closed loop: each connection sends when it has its answer. Open loop: request
// number n is due n/rate seconds after the start, whatever became of those before it, and its latency counts from then: when the
// contender stalls, every request that was due meanwhile shows it (no coordinated omission). Lateness of this program counts as well.
import { readFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";
import { Http1Connection } from "./http1-connection.ts";
import { finish, readOptions, Samples } from "./samples.ts";

export interface RequestOptions {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests a second over all connections; null: closed loop. */
  readonly rate: number | null;
  readonly isSecure: boolean;
  readonly client: { readonly certificate: string; readonly key: string } | null;
}

const options = readOptions() as RequestOptions;
const request = Buffer.from(`GET ${options.path} HTTP/1.1\r\nHost: ${options.host}\r\n\r\n`);
const samples = new Samples();
const idle: Http1Connection[] = [];
const durationMs = options.seconds * 1000;
let startedAt = 0;
let sent = 0;
let isOver = false;

/** Sends what is due and finds a connection. What finds none stays due. */
function sendDue(): void {
  const now = performance.now();
  if (now >= startedAt + durationMs) return end();
  const due = options.rate === null ? Infinity : ((now - startedAt) * options.rate) / 1000;
  while (sent < due && idle.length > 0) {
    const dueAt = options.rate === null ? now : startedAt + (sent * 1000) / options.rate;
    sent += 1;
    (idle.pop() as Http1Connection).send(request, dueAt);
  }
}

function onAnswer(connection: Http1Connection, isOk: boolean): void {
  if (isOver) return;
  if (isOk) samples.add(performance.now() - connection.startedAt);
  else samples.errors += 1;
  if (connection.socket.destroyed) void open();
  else idle.push(connection);
  if (startedAt > 0) sendDue();
}

/** Opens a connection; resolves when it may be used. */
function open(): Promise<void> {
  const { port, host, isSecure, client } = options;
  const identity = client === null ? {} : { cert: readFileSync(client.certificate), key: readFileSync(client.key) };
  const socket = isSecure
    ? connectTls({ port, host: "127.0.0.1", servername: host, rejectUnauthorized: false, ...identity })
    : connectPlain(port, "127.0.0.1");
  const connection = new Http1Connection(socket, onAnswer);
  return new Promise((resolve) => {
    socket.once(isSecure ? "secureConnect" : "connect", () => {
      idle.push(connection);
      resolve();
    });
    socket.once("close", resolve);
  });
}

/** Requests that were due and never sent, or sent and not answered, are errors of an open loop: the contender did not keep up. */
function end(): void {
  if (isOver) return;
  isOver = true;
  if (options.rate !== null) {
    const missed = Math.floor(options.seconds * options.rate) - samples.count - samples.errors;
    // What was on its way as the time ended is no failure: as many as there are connections.
    samples.errors += Math.max(0, missed - options.connections);
  }
  finish(samples.report(options.seconds));
}

await Promise.all(Array.from({ length: options.connections }, open));
startedAt = performance.now();
sendDue();
// Between answers, requests become due by time alone.
if (options.rate === null) setTimeout(end, durationMs);
else setInterval(sendDue, 1);
