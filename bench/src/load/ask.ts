// One request to a door, by Node's own clients: what the checks before a measurement are made with.
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request as requestPlain, type IncomingMessage } from "node:http";
import { connect } from "node:http2";
import { request as requestTls } from "node:https";
import { connect as connectTls } from "node:tls";
import type { Door } from "./contender.ts";

export interface Question {
  readonly port: number;
  readonly door: Door;
  readonly host: string;
  readonly path: string;
  /** Sent by POST. */
  readonly body?: Buffer;
  readonly client?: { readonly certificate: string; readonly key: string };
}

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

const timeoutMs = 10_000;

/** Rejects when there is no answer. */
export function ask(question: Question): Promise<Answer> {
  return question.door === "h2" ? askHttp2(question) : askHttp1(question);
}

/** The cipher suite that a server takes from these, in the client's order. */
export async function cipherOf(port: number, servername: string, suites: readonly string[]): Promise<string> {
  const options = { port, host: "127.0.0.1", servername, rejectUnauthorized: false, ciphers: suites.join(":") };
  const socket = connectTls({ ...options, minVersion: "TLSv1.3", timeout: timeoutMs });
  socket.on("timeout", () => socket.destroy(new Error("no answer")));
  await once(socket, "secureConnect");
  const { name } = socket.getCipher();
  socket.destroy();
  return name;
}

async function askHttp1({ port, door, host, path, body, client }: Question): Promise<Answer> {
  const method = body === undefined ? "GET" : "POST";
  const length = body === undefined ? {} : { "content-length": body.length };
  const identity =
    client === undefined ? {} : { cert: readFileSync(client.certificate), key: readFileSync(client.key) };
  const common = { port, host: "127.0.0.1", path, method, agent: false as const, timeout: timeoutMs };
  // A client that keeps its connection: some proxies do with the backend as the client does with them.
  const headers = { host, connection: "keep-alive", ...length };
  const request =
    door === "plain"
      ? requestPlain({ ...common, headers })
      : requestTls({ ...common, headers, servername: host, rejectUnauthorized: false, ...identity });
  request.on("timeout", () => request.destroy(new Error("no answer")));
  request.end(body);
  const [response] = (await once(request, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: await readAll(response) };
}

async function askHttp2({ port, host, path, body }: Question): Promise<Answer> {
  const socket = connectTls({
    port,
    host: "127.0.0.1",
    servername: host,
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
  });
  await once(socket, "secureConnect");
  const session = connect(`https://${host}`, { createConnection: () => socket });
  try {
    const stream = session.request({
      ":method": body === undefined ? "GET" : "POST",
      ":path": path,
      ":authority": host,
    });
    stream.end(body);
    const [headers] = (await Promise.race([once(stream, "response"), once(session, "error")])) as [
      Readonly<Record<string, unknown>>,
    ];
    return { status: Number(headers[":status"]), body: await readAll(stream) };
  } finally {
    session.destroy();
  }
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
