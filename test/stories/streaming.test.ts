// Bodies larger than anybody should hold in memory, readers and backends slower than anybody likes: bytes arrive intact, memory stays
// bounded, and nobody waits for somebody else's slow client.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, request as requestHttp, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createAuthority } from "@sluice/demo/certificates";
import { patternBytes, startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, httpsServer, service, tlsSecret } from "../support/config.ts";
import { engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { eventually } from "../support/eventually.ts";
import { Http2Client } from "../support/http2-client.ts";

const host = "app.example";
const MiB = 1024 * 1024;
const bodyBytes = 64 * MiB;
const body = patternBytes(bodyBytes);
const bodyDigest = createHash("sha256").update(body).digest("hex");
/** Together they ask for 256 MiB that nobody reads. */
const stalledClients = 4;
/** Far below what is asked for, far above what one exchange holds and what a collector leaves lying around. */
const maxGrowthBytes = 100 * MiB;

/** A backend whose handler is the story's. */
async function startBackend(handle: (request: IncomingMessage, response: ServerResponse) => void) {
  const sockets = new Set<Socket>();
  const server = createServer(handle).on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Lets everyone who waits go on. */
class Gate {
  #open: () => void = () => {};
  #opened: Promise<void> = Promise.resolve();

  constructor() {
    this.close();
  }

  close(): void {
    this.#opened = new Promise((resolve) => (this.#open = resolve));
  }

  open(): void {
    this.#open();
  }

  passed(): Promise<void> {
    return this.#opened;
  }
}

const reading = new Gate();
/** Reads nothing of a body until the gate opens. */
const sluggish = await startBackend((request, response) => {
  void reading.passed().then(async () => response.end(await digestOf(request)));
});
let sayNext: (text: string | null) => void = () => {};
/** Sends what the story says, when it says it. */
const talkative = await startBackend((_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  sayNext = (text) => (text === null ? response.end() : response.write(text));
  response.write("data: 0\n\n");
});
/** Answers when there is something to say, and not before. */
const polls: ServerResponse[] = [];
const polled = await startBackend((_request, response) => void polls.push(response));
const httpbin = await startHttpbin();
const authority = await createAuthority({ commonName: "story ca" });
const certificate = await authority.issue({ commonName: "app", dnsNames: [host] });

const to = (prefix: string, destination: string) => ({
  match: [{ uri: { prefix } }],
  route: [{ destination: { host: destination, port: { number: 8000 } } }],
});
const config = documents(
  gatewayResource("web", [httpServer([host]), httpsServer([host], { mode: "SIMPLE", credentialName: "app" })]),
  {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "web" },
    spec: {
      hosts: [host],
      gateways: ["web"],
      http: [to("/sluggish", "sluggish"), to("/talkative", "talkative"), to("/polled", "polled"), to("/", "httpbin")],
    },
  },
  ...service("sluggish", sluggish.port),
  ...service("talkative", talkative.port),
  ...service("polled", polled.port),
  ...service("httpbin", httpbin.port),
  tlsSecret("app", certificate),
);

afterAll(async () => {
  reading.open();
  await Promise.all([httpbin.close(), sluggish.close(), talkative.close(), polled.close()]);
});

async function digestOf(stream: Readable): Promise<string> {
  const digest = createHash("sha256");
  await pipeline(stream, digest);
  return digest.digest("hex");
}

async function textOf(stream: Readable): Promise<string> {
  return Buffer.concat((await stream.toArray()) as Buffer[]).toString();
}

/** A request under way: what is written is its body. */
interface Transfer {
  readonly request: Writable;
  readonly response: Promise<Readable>;
}

type Open = (method: string, path: string) => Transfer;

/** Each on a connection of its own. */
const overHttp1 =
  (port: number): Open =>
  (method, path) => {
    const headers = { host, ...(method === "POST" ? { "content-length": bodyBytes } : {}) };
    const request = requestHttp({ host: "127.0.0.1", port, method, path, headers, agent: false });
    const response = once(request, "response").then(([message]) => message as IncomingMessage);
    if (method === "GET") request.end();
    return { request, response };
  };

/** All on one connection. */
const overHttp2 =
  ({ session }: Http2Client): Open =>
  (method, path) => {
    const fields = { ":method": method, ":path": path, ":authority": host };
    const stream = session.request(fields, { endStream: method === "GET" });
    return { request: stream, response: once(stream, "response").then(() => stream) };
  };

async function download(open: Open): Promise<string> {
  return digestOf(await open("GET", `/bytes/${bodyBytes}`).response);
}

async function upload(open: Open, path: string): Promise<string> {
  const { request, response } = open("POST", path);
  const [answer] = await Promise.all([response.then(textOf), pipeline(Readable.from(pieces()), request)]);
  return answer;
}

function* pieces(): Generator<Buffer> {
  for (let at = 0; at < bodyBytes; at += 64 * 1024) yield body.subarray(at, at + 64 * 1024);
}

const lanes = engineLanes.flatMap((lane) => [
  { ...lane, name: `${lane.name}, HTTP/1.1`, isHttp2: false },
  ...(lane.expected === "node" && lane.edge["engine"] === "node"
    ? [{ ...lane, name: `${lane.name}, HTTP/2`, isHttp2: true }]
    : []),
]);

describe.each(lanes)("$name", ({ edge, isHttp2 }) => {
  let world: Gateway;
  let client: Http2Client | null = null;
  let open: Open;

  const residentBytes = async () =>
    Number(/^sluice_worker_resident_memory_bytes\{[^}]*\} (\S+)$/m.exec(await world.metrics())?.[1]);

  beforeAll(async () => {
    world = await gateway({ config: { "site.yaml": config }, edge: { ...edge, workers: 1 } });
    if (isHttp2) client = await Http2Client.connect(world.port(443), host, authority.certificatePem);
    open = client === null ? overHttp1(world.port(80)) : overHttp2(client);
    // What is allocated once is no growth.
    await download(open);
    await upload(open, "/upload");
  });

  afterAll(async () => {
    await client?.[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  test("64 MiB arrive intact in both directions, with and without a length", async () => {
    expect(await download(open)).toBe(bodyDigest);
    expect(await digestOf(await open("GET", `/bytes/${bodyBytes}?chunked=1`).response)).toBe(bodyDigest);
    expect(JSON.parse(await upload(open, "/upload"))).toEqual({ bytes: bodyBytes, sha256: bodyDigest });
  });

  test("clients that do not read cost little memory, stall nobody, and get every byte in the end", async () => {
    const before = await residentBytes();
    const paths = Array.from({ length: stalledClients }, (_, index) => `/bytes/${bodyBytes}?chunked=${index % 2}`);
    const stalled = await Promise.all(paths.map((path) => open("GET", path).response));
    expect(await download(open)).toBe(bodyDigest);
    expect(await residentBytes()).toBeLessThan(before + maxGrowthBytes);
    expect(await Promise.all(stalled.map(digestOf))).toEqual(Array<string>(stalledClients).fill(bodyDigest));
  });

  test("backends that do not read cost little memory, stall nobody, and get every byte in the end", async () => {
    reading.close();
    const before = await residentBytes();
    const stalled = Array.from({ length: stalledClients }, () => upload(open, "/sluggish"));
    expect(await download(open)).toBe(bodyDigest);
    expect(await residentBytes()).toBeLessThan(before + maxGrowthBytes);
    reading.open();
    expect(await Promise.all(stalled)).toEqual(Array<string>(stalledClients).fill(bodyDigest));
  });

  test("a long poll is answered as soon as its backend answers, and holds nobody up until then", async () => {
    const answers = Array.from({ length: 3 }, async () => textOf(await open("GET", "/polled").response));
    await eventually("the polls at the backend", () => (polls.length === 3 ? true : null));
    expect(await digestOf(await open("GET", `/bytes/${bodyBytes}`).response)).toBe(bodyDigest);
    const waiting = polls.splice(0);
    waiting[0]?.end("first");
    // The others wait on.
    expect(await Promise.race(answers)).toBe("first");
    for (const response of waiting.slice(1)) response.end("later");
    expect((await Promise.all(answers)).toSorted()).toEqual(["first", "later", "later"]);
  });

  test("events arrive one by one, each before the next is sent", async () => {
    const stream = await open("GET", "/talkative").response;
    const events = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const next = async () => String((await events.next()).value);
    expect(await next()).toBe("data: 0\n\n");
    for (let event = 1; event <= 3; event++) {
      sayNext(`data: ${event}\n\n`);
      expect(await next()).toBe(`data: ${event}\n\n`);
    }
    sayNext(null);
    expect(await events.next()).toMatchObject({ done: true });
    const paced = await textOf(await open("GET", "/sse?count=3&intervalMs=20").response);
    expect(paced.match(/^data: .*$/gm)).toEqual(['data: {"id":0}', 'data: {"id":1}', 'data: {"id":2}']);
  });
});
