// Trailers of requests over HTTP/2: behind a body of unknown length they reach the backend, over HTTP/1.1 in its last chunk; a body of announced
// length has no place for them there, so they are dropped towards either kind of backend, and nothing of them is read as another request.
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, createServer as createHttp2Server, type OutgoingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, service, serviceOn } from "../support/config.ts";
import { gateway, type Gateway } from "../support/gateway.ts";

const host = "app.example";

/** What one request looked like to its backend. */
interface Seen {
  readonly length: string | undefined;
  readonly body: string;
  readonly trailers: Readonly<Record<string, unknown>>;
}

const overHttp1 = createServer((request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    const seen: Seen = { length: request.headers["content-length"], body, trailers: request.trailers };
    response.end(JSON.stringify(seen));
  });
});
const overHttp2 = createHttp2Server();
overHttp2.on("stream", (stream, headers) => {
  let body = "";
  let received = {};
  stream.on("data", (chunk: Buffer) => (body += chunk.toString()));
  stream.on("trailers", (fields) => (received = { ...fields }));
  stream.on("end", () => {
    const seen: Seen = { length: headers["content-length"], body, trailers: received };
    stream.respond({ ":status": 200 });
    stream.end(JSON.stringify(seen));
  });
});
for (const server of [overHttp1, overHttp2]) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
}

const portOf = (server: typeof overHttp1 | typeof overHttp2) => (server.address() as AddressInfo).port;
const rule = (prefix: string, name: string) => ({
  match: [{ uri: { prefix } }],
  route: [{ destination: { host: name, port: { number: 8000 } } }],
});
const config = documents(
  gatewayResource("app", [httpServer([host])], { "sluice.dev/engine": "node" }),
  {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "app" },
    spec: { hosts: [host], gateways: ["app"], http: [rule("/1", "one"), rule("/2", "two")] },
  },
  ...service("one", portOf(overHttp1)),
  ...serviceOn("two", { name: "http2", port: 8000 }, [portOf(overHttp2)]),
);

let world: Gateway;
beforeAll(async () => {
  world = await gateway({ config: { "site.yaml": config }, edge: { workers: 1 } });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  overHttp1.close();
  overHttp2.close();
});

const trailers = { "x-sum": "7", "x-evil": "GET /smuggled HTTP/1.1" };

async function post(path: string, fields: OutgoingHttpHeaders): Promise<Seen> {
  const session = connect(`http://127.0.0.1:${world.port(80)}`);
  const head = { ":method": "POST", ":path": path, ":authority": host, ...fields };
  const stream = session.request(head, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end("hello");
  let text = "";
  stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await once(stream, "end");
  session.destroy();
  return JSON.parse(text) as Seen;
}

test.each(["/1", "/2"])("behind a body of unknown length they pass (backend of HTTP%s)", async (path) => {
  const seen = await post(path, {});
  expect(seen).toEqual({ body: "hello", trailers });
});

test.each(["/1", "/2"])("behind a body of announced length they are dropped (backend of HTTP%s)", async (path) => {
  for (let i = 0; i < 3; i++) {
    expect(await post(path, { "content-length": "5" })).toEqual({ length: "5", body: "hello", trailers: {} });
  }
});
