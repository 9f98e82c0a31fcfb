import { once } from "node:events";
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { defaultClusterLimits, type Cluster, type ClusterLimits } from "@sluice/core/model";
import { expect, test } from "vitest";
import { webSocketAccept } from "../../src/upstream/web-socket-key.ts";
import { ClusterManager } from "../../src/upstream/cluster-manager.ts";
import { createCounters } from "../../src/upstream/cluster-counters.ts";
import { IdleClock } from "../../src/upstream/idle-clock.ts";
import { EndpointPool } from "../../src/upstream/pool.ts";
import { toPoolLimits } from "../../src/upstream/pool-limits.ts";
import { clusterOf, poolOptions, RawServer } from "./raw-server.ts";
import { RecordedExchange, type SentRequest, turns } from "./recorded-exchange.ts";

type Answer = (stream: ServerHttp2Stream, headers: Record<string, string | undefined>) => void;

/** An h2c server of node:http2 behind a cluster. */
class H2World implements AsyncDisposable {
  readonly sessions: ServerHttp2Session[] = [];
  readonly manager = new ClusterManager();
  private readonly server: Http2Server;

  private constructor(server: Http2Server) {
    this.server = server;
    server.on("session", (session) => this.sessions.push(session));
  }

  static async start(
    answer: Answer,
    rest: { limits?: Partial<ClusterLimits>; settings?: object; cluster?: Partial<Cluster> } = {},
  ): Promise<H2World> {
    const server = createServer({ settings: { maxConcurrentStreams: 2000, ...rest.settings } });
    server.on("sessionError", () => {});
    server.on("stream", (stream, headers) => {
      stream.on("error", () => {});
      answer(stream, headers as Record<string, string | undefined>);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const world = new H2World(server);
    const { port } = world;
    const limits = { ...defaultClusterLimits, ...rest.limits };
    world.manager.apply([clusterOf([{ port }], { protocol: "http2", limits, ...rest.cluster })]);
    return world;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get pool(): EndpointPool {
    const pool = this.manager.get("c")?.choose();
    if (pool === null || pool === undefined) throw new Error("no endpoint");
    return pool;
  }

  send(request: SentRequest = {}): RecordedExchange {
    return RecordedExchange.send(this.pool, request);
  }

  get stats() {
    const [stats] = this.manager.stats();
    if (stats === undefined) throw new Error("no cluster");
    return stats;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.manager.close();
    for (const session of this.sessions) session.destroy();
    this.server.close();
  }
}

const chunked = { method: "POST", body: "chunked", fields: "transfer-encoding: chunked\r\nte: trailers\r\n" } as const;

/** A frame of HTTP/2 (RFC 9113, 4.1). */
function frame(type: number, flags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** All calls but the flushes, whose number depends on how bytes were cut. */
async function calls(exchange: RecordedExchange): Promise<string[]> {
  return (await exchange.settled()).filter((call) => call !== "flush");
}

test("what a connection under way will take is not pending: of three at once one is sent, one waits, one overflows", async () => {
  const limits = { maxConnections: 1, maxConcurrentStreams: 1, maxPendingRequests: 1 };
  const held: ServerHttp2Stream[] = [];
  await using world = await H2World.start((stream) => held.push(stream), { limits });
  const [first, second, third] = [world.send(), world.send(), world.send()];
  expect(await third.settled()).toEqual(["error upstream_overflow"]);
  for (const exchange of [first, second]) {
    // eslint-disable-next-line no-await-in-loop
    while (held.length === 0) await turns(1);
    held.pop()?.respond({ ":status": 200 }, { endStream: true });
    // eslint-disable-next-line no-await-in-loop
    expect(await exchange.settled()).toEqual(["head 200", "end"]);
  }
  expect(world.stats).toMatchObject({ pendingRequests: 0, openConnections: 1 });
});

test("a request crosses with its fields, without those of HTTP/1.1's framing", async () => {
  let seen: Record<string, string | undefined> = {};
  await using world = await H2World.start((stream, headers) => {
    seen = { ...headers };
    stream.respond({ ":status": 200, "content-length": 5, "set-cookie": ["a=1", "b=2"] });
    stream.end("hello");
  });
  const exchange = world.send({
    fields: "cookie: a=1\r\ncookie: b=2\r\nuser-agent: x\r\nuser-agent: y\r\n__proto__: z\r\nx-u: \xff\r\n",
  });
  expect(await calls(exchange)).toEqual(["head 200", "data hello", "end"]);
  expect(exchange.bodyLength).toBe(5);
  expect(exchange.headers).toEqual(expect.arrayContaining(["set-cookie", "a=1", "set-cookie", "b=2"]));
  expect(exchange.headers).not.toContain("content-length");
  expect(seen).toMatchObject({ ":method": "GET", ":path": "/", ":authority": "a", cookie: "a=1; b=2", "x-u": "\xff" });
  expect(seen).not.toHaveProperty("host");
  expect(exchange.stream.localAddress).toMatch(/^127\.0\.0\.1:\d+$/);
});

test("bodies and trailers cross in both directions, as gRPC needs them", async () => {
  let received = "";
  let trailers: object = {};
  await using world = await H2World.start((stream, headers) => {
    expect(headers["te"]).toBe("trailers");
    stream.respond({ ":status": 200 }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "content-type": "forged" }));
    stream.on("trailers", (fields) => (trailers = { ...fields }));
    stream.on("data", (chunk: Buffer) => {
      received += chunk.toString();
      stream.write(chunk);
    });
    stream.on("end", () => stream.end());
  });
  const exchange = world.send(chunked);
  exchange.stream.write(Buffer.from("ping"));
  await exchange.next("data");
  exchange.stream.write(Buffer.from("pong"));
  exchange.stream.end(["x-checksum", "7", "host", "evil"]);
  expect(await calls(exchange)).toEqual(expect.arrayContaining(["drain", "head 200", "data ping", "data pong", "end"]));
  expect(exchange.trailers).toEqual(["grpc-status", "0"]);
  expect(received).toBe("pingpong");
  expect(trailers).toMatchObject({ "x-checksum": "7" });
  expect(trailers).not.toHaveProperty("host");
});

test("interim responses, HEAD, 204, 304 and trailers-only answers keep their form", async () => {
  await using world = await H2World.start((stream, headers) => {
    const status = Number(headers["x-want"]);
    if (status === 103) {
      stream.additionalHeaders({ ":status": 103, link: "</a>" });
      stream.respond({ ":status": 200 }, { endStream: true });
    } else {
      stream.respond({ ":status": status, "content-length": status === 204 ? undefined : 9 }, { endStream: true });
    }
  });
  const early = world.send({ fields: "x-want: 103\r\n" });
  expect(await calls(early)).toEqual(["informational 103", "head 200", "end"]);
  expect(early.bodyLength).toBe(0);
  const head = world.send({ method: "HEAD", fields: "x-want: 200\r\n" });
  expect(await calls(head)).toEqual(["head 200", "end"]);
  expect(head.bodyLength).toBe(9);
  const none = world.send({ fields: "x-want: 204\r\n" });
  expect(await calls(none)).toEqual(["head 204", "end"]);
  expect(none.bodyLength).toBe(0);
  const unchanged = world.send({ fields: "x-want: 304\r\n" });
  expect(await calls(unchanged)).toEqual(["head 304", "end"]);
});

test("a thousand streams share one connection", async () => {
  const open: ServerHttp2Stream[] = [];
  await using world = await H2World.start((stream) => {
    open.push(stream);
    if (open.length < 1000) return;
    for (const each of open) {
      each.respond({ ":status": 200 });
      each.end("x".repeat(100));
    }
  });
  // The first tells the client how many the server takes.
  const exchanges = Array.from({ length: 100 }, () => world.send());
  await expect.poll(() => open.length).toBe(100);
  exchanges.push(...Array.from({ length: 900 }, () => world.send()));
  for (const exchange of exchanges) expect((await calls(exchange)).at(-1)).toBe("end");
  expect(exchanges.every(({ body }) => body === "x".repeat(100))).toBe(true);
  expect(world.sessions).toHaveLength(1);
  expect(world.stats).toMatchObject({ activeRequests: 0, idleConnections: 1, openConnections: 1, connectTotal: 1 });
});

test("no more streams are opened than the upstream allows, the others take another connection or wait", async () => {
  let active = 0;
  let most = 0;
  await using world = await H2World.start(
    (stream) => {
      most = Math.max(most, ++active);
      setImmediate(() => {
        active--;
        stream.respond({ ":status": 200 }, { endStream: true });
      });
    },
    { settings: { maxConcurrentStreams: 2 }, limits: { maxConnections: 1 } },
  );
  const exchanges = Array.from({ length: 20 }, () => world.send());
  for (const exchange of exchanges) expect(await calls(exchange)).toEqual(["head 200", "end"]);
  expect(most).toBeLessThanOrEqual(2);
  expect(world.sessions).toHaveLength(1);
});

test("a stream whose reader stops does not stall the others, and holds a window of memory", async () => {
  await using world = await H2World.start((stream) => {
    stream.respond({ ":status": 200 });
    stream.end(Buffer.alloc(4 * 1024 * 1024));
  });
  const stalled = world.send();
  stalled.during = (call) => {
    if (call.startsWith("data")) stalled.stream.pause();
  };
  await stalled.next("data");
  for (let i = 0; i < 3; i++) expect((await calls(world.send())).at(-1)).toBe("end");
  expect(stalled.stream.bufferedBytes).toBeLessThanOrEqual(512 * 1024);
  expect(stalled.isSettled).toBe(false);
  stalled.during = null;
  stalled.stream.resume();
  await stalled.settled();
  expect(stalled.body).toHaveLength(4 * 1024 * 1024);
});

test("a body that the upstream does not read is held back", async () => {
  let reader: ServerHttp2Stream | null = null;
  await using world = await H2World.start((stream) => {
    stream.pause();
    reader = stream;
  });
  const exchange = world.send(chunked);
  await expect.poll(() => reader).not.toBeNull();
  let sent = 0;
  const piece = Buffer.alloc(16 * 1024);
  for (;;) {
    sent += piece.length;
    const isDrained = exchange.next("drain");
    if (exchange.stream.write(piece)) continue;
    const hasMore = await Promise.race([isDrained.then(() => true), turns(100).then(() => false)]);
    if (!hasMore) break;
  }
  expect(sent).toBeLessThan(512 * 1024);
  expect(exchange.stream.bufferedBytes).toBeLessThanOrEqual(64 * 1024);
  exchange.stream.abort();
});

test.each([
  ["before the head", 8, "error upstream_reset"],
  ["before the head by protocol error", 1, "error upstream_protocol_error"],
])("a reset %s is reported", async (_name, code, last) => {
  await using world = await H2World.start((stream) => stream.close(code));
  expect((await calls(world.send(chunked))).at(-1)).toBe(last);
  expect(world.stats).toMatchObject({ activeRequests: 0, openConnections: 1 });
});

test.each([8, 0])("a reset in the middle of a response with code %i is no end", async (code) => {
  await using server = await RawServer.listen();
  const manager = new ClusterManager();
  manager.apply([clusterOf([{ port: server.port }], { protocol: "http2" })]);
  const exchange = RecordedExchange.send(manager.get("c")!.choose()!);
  const { socket } = await server.connection(0);
  socket.write(frame(4, 0, 0));
  await expect.poll(() => exchange.stream.localAddress).not.toBe("");
  await turns(20);
  // node's own server ends a stream before it resets it, so this one is played by hand: HEADERS, DATA, RST_STREAM.
  socket.write(
    Buffer.concat([
      frame(1, 4, 1, Buffer.of(0x88)),
      frame(0, 0, 1, Buffer.from("half")),
      frame(3, 0, 1, Buffer.of(0, 0, 0, code)),
    ]),
  );
  expect(await calls(exchange)).toEqual(["head 200", "data half", "error upstream_reset_midway"]);
  manager.close();
});

test("a reset without an error behind all of the announced body is its end", async () => {
  await using server = await RawServer.listen();
  const manager = new ClusterManager();
  manager.apply([clusterOf([{ port: server.port }], { protocol: "http2" })]);
  const exchange = RecordedExchange.send(manager.get("c")!.choose()!);
  const { socket } = await server.connection(0);
  socket.write(frame(4, 0, 0));
  await expect.poll(() => exchange.stream.localAddress).not.toBe("");
  await turns(20);
  // `content-length: 4` by its index, not indexed.
  const head = Buffer.concat([Buffer.of(0x88, 0x0f, 0x0d, 1), Buffer.from("4")]);
  socket.write(
    Buffer.concat([frame(1, 4, 1, head), frame(0, 0, 1, Buffer.from("body")), frame(3, 0, 1, Buffer.of(0, 0, 0, 0))]),
  );
  expect(await calls(exchange)).toEqual(["head 200", "data body", "end"]);
  manager.close();
});

test("an aborted request resets its stream and no other", async () => {
  const codes: number[] = [];
  await using world = await H2World.start((stream, headers) => {
    stream.on("close", () => codes.push(stream.rstCode));
    stream.respond({ ":status": 200 });
    if (headers["x-want"] === "end") stream.end("done");
    else stream.write("part");
  });
  const aborted = world.send();
  await aborted.next("data");
  aborted.stream.abort();
  expect(await calls(world.send({ fields: "x-want: end\r\n" }))).toEqual(["head 200", "data done", "end"]);
  expect(codes).toContain(8);
  expect(world.sessions).toHaveLength(1);
});

test("a refused stream is sent again, also a POST, and once only", async () => {
  let count = 0;
  await using world = await H2World.start((stream, headers) => {
    count++;
    if (count === 1 || headers["x-always"] !== undefined) stream.close(7);
    else stream.respond({ ":status": 200 }, { endStream: true });
  });
  expect(await calls(world.send({ method: "POST" }))).toEqual(["head 200", "end"]);
  expect(count).toBe(2);
  expect(await calls(world.send({ fields: "x-always: 1\r\n" }))).toEqual(["error upstream_refused_stream"]);
  expect(count).toBe(4);
});

test("a stream that a living upstream resets is not sent again: it was seen", async () => {
  let count = 0;
  await using world = await H2World.start((stream) => {
    if (++count === 1) stream.respond({ ":status": 200 }, { endStream: true });
    else stream.close(2);
  });
  await calls(world.send());
  expect(await calls(world.send())).toEqual(["error upstream_reset"]);
  expect(count).toBe(2);
});

test("GOAWAY lets what runs finish, and what comes next takes another connection", async () => {
  const open: ServerHttp2Stream[] = [];
  await using world = await H2World.start((stream) => {
    stream.respond({ ":status": 200 });
    stream.write("a");
    open.push(stream);
  });
  const first = world.send();
  await first.next("data");
  world.sessions[0]?.goaway(0, open[0]?.id ?? 0);
  // A round trip on the old connection: the GOAWAY has arrived with what follows it.
  const more = first.next("data");
  open[0]?.write("b");
  await more;
  const second = world.send();
  await second.next("data");
  expect(world.sessions).toHaveLength(2);
  for (const stream of open) stream.end("z");
  expect((await calls(first)).at(-1)).toBe("end");
  expect((await calls(second)).at(-1)).toBe("end");
});

test("a connection that goes away with an error takes down what it has seen, and the unseen is sent again", async () => {
  const open: ServerHttp2Stream[] = [];
  await using world = await H2World.start((stream) => {
    open.push(stream);
    if (open.length > 2) stream.respond({ ":status": 200 }, { endStream: true });
  });
  const seen = world.send({ method: "POST" });
  const unseen = world.send({ method: "POST" });
  await expect.poll(() => open.length).toBe(2);
  world.sessions[0]?.goaway(2, open[0]?.id ?? 0);
  expect(await calls(unseen)).toEqual(["head 200", "end"]);
  expect((await calls(seen)).at(-1)).toMatch(/^error upstream_/);
});

test("a kept connection that dies is replaced without a request failing", async () => {
  await using world = await H2World.start((stream) => stream.respond({ ":status": 200 }, { endStream: true }));
  await calls(world.send());
  const isGone = once(world.sessions[0]!, "close");
  const exchange = world.send();
  world.sessions[0]?.destroy();
  await isGone;
  expect((await calls(exchange)).at(-1)).toBe("end");
  expect((await calls(world.send())).at(-1)).toBe("end");
});

test("where nobody speaks HTTP/2 the request fails without having been sent", async () => {
  await using server = await RawServer.listen();
  const manager = new ClusterManager();
  manager.apply([clusterOf([{ port: server.port }], { protocol: "http2" })]);
  const exchange = RecordedExchange.send(manager.get("c")!.choose()!, { method: "POST" });
  const connection = await server.connection(0);
  connection.socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n");
  expect(await exchange.settled()).toEqual(["error upstream_protocol_error"]);
  expect(connection.received).not.toContain("POST");
  manager.close();
});

test("connections are replaced after the requests they may carry, and closed when their time is over", async () => {
  await using world = await H2World.start((stream) => stream.respond({ ":status": 200 }, { endStream: true }), {
    limits: { maxRequestsPerConnection: 2 },
  });
  for (let i = 0; i < 6; i++) await calls(world.send());
  expect(world.sessions).toHaveLength(3);
  expect(world.stats).toMatchObject({ openConnections: 0, idleConnections: 0 });
});

test("a cluster that follows the client speaks both", async () => {
  await using server = await RawServer.listen();
  const manager = new ClusterManager();
  manager.apply([clusterOf([{ port: server.port }], { protocol: "downstream" })]);
  const pool = manager.get("c")!.choose()!;
  RecordedExchange.send(pool);
  expect(await (await server.connection(0)).request()).toContain("GET / HTTP/1.1");
  const second = RecordedExchange.send(pool, { origin: { protocol: "HTTP/2" } });
  const preface = await server.connection(1);
  await expect.poll(() => preface.received).toMatch(/^PRI \* HTTP\/2\.0\r\n/);
  second.stream.abort();
  manager.close();
});

test("an upgrade becomes an extended CONNECT, and bytes flow both ways until the client ends", async () => {
  let seen: Record<string, string | undefined> = {};
  await using world = await H2World.start(
    (stream, headers) => {
      seen = { ...headers };
      stream.respond({ ":status": 200 });
      stream.on("data", (chunk: Buffer) => stream.write(chunk));
      stream.on("end", () => stream.end("bye"));
    },
    { settings: { enableConnectProtocol: true } },
  );
  const key = "dGhlIHNhbXBsZSBub25jZQ==";
  const exchange = world.send({
    body: "upgrade",
    origin: { upgrade: "websocket" },
    fields: `connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: ${key}\r\n`,
  });
  exchange.stream.write(Buffer.from("early"));
  await exchange.next("data");
  exchange.stream.end();
  expect(await calls(exchange)).toEqual(expect.arrayContaining(["head 101", "data early", "data bye", "end"]));
  expect(exchange.headers).toEqual(expect.arrayContaining(["sec-websocket-accept", webSocketAccept(key)]));
  expect(seen).toMatchObject({ ":method": "CONNECT", ":protocol": "websocket", ":path": "/" });
});

test("in a tunnel the upstream's half may end first: the client goes on until it ends, too", async () => {
  let heard = "";
  await using world = await H2World.start(
    (stream) => {
      stream.respond({ ":status": 200 });
      stream.end("that is all");
      stream.on("data", (chunk: Buffer) => (heard += chunk.toString("latin1")));
    },
    { settings: { enableConnectProtocol: true } },
  );
  const exchange = world.send({ body: "upgrade", origin: { upgrade: "websocket" } });
  await exchange.next("half-end");
  expect(exchange.isSettled).toBe(false);
  exchange.stream.write(Buffer.from("but "));
  exchange.stream.write(Buffer.from("not for me"));
  exchange.stream.end();
  expect(await calls(exchange)).toEqual(["head 101", "data that is all", "half-end", "end"]);
  await expect.poll(() => heard).toBe("but not for me");
  expect(world.stats).toMatchObject({ openConnections: 1, activeRequests: 0 });
});

test("connections are opened as far as the upstream's limit on streams makes them needed", async () => {
  const open: ServerHttp2Stream[] = [];
  await using world = await H2World.start((stream) => open.push(stream), { settings: { maxConcurrentStreams: 2 } });
  const exchanges = Array.from({ length: 6 }, () => world.send());
  await expect.poll(() => open.length).toBe(6);
  expect(world.sessions).toHaveLength(3);
  for (const stream of open) stream.respond({ ":status": 200 }, { endStream: true });
  for (const exchange of exchanges) expect(await calls(exchange)).toEqual(["head 200", "end"]);
});

test("a head that HTTP/2 cannot carry fails alone", async () => {
  await using world = await H2World.start((stream) => stream.respond({ ":status": 200 }, { endStream: true }));
  expect(await calls(world.send({ fields: "te: gzip\r\n" }))).toEqual(["error upstream_protocol_error"]);
  expect(await calls(world.send())).toEqual(["head 200", "end"]);
  expect(world.stats).toMatchObject({ openConnections: 1, idleConnections: 1, activeRequests: 0 });
});

test("an upgrade is not sent to an upstream that does not know extended CONNECT", async () => {
  let count = 0;
  await using world = await H2World.start(() => count++);
  const exchange = world.send({ body: "upgrade", origin: { upgrade: "websocket" } });
  expect(await calls(exchange)).toEqual(["error upstream_protocol_error"]);
  expect(count).toBe(0);
});

test("a body that is not as long as announced never looks complete to the upstream", async () => {
  let isAborted = false;
  let hasEnded = false;
  await using world = await H2World.start((stream) => {
    stream.on("aborted", () => (isAborted = true));
    stream.on("end", () => (hasEnded = !stream.aborted));
    stream.resume();
  });
  const exchange = world.send({ method: "POST", body: "length", fields: "content-length: 5\r\n" });
  exchange.stream.write(Buffer.from("he"));
  await exchange.next("drain");
  exchange.stream.end();
  expect(await calls(exchange)).toEqual(["drain", "error bad_request"]);
  await expect.poll(() => isAborted).toBe(true);
  expect(hasEnded).toBe(false);
});

test("an idle connection closes after its time, one with a stream does not", async () => {
  const open: ServerHttp2Stream[] = [];
  await using world = await H2World.start((stream) => {
    stream.respond({ ":status": 200 });
    stream.write("a");
    open.push(stream);
  });
  const clock = new IdleClock();
  const counters = createCounters();
  const limits = { ...toPoolLimits(defaultClusterLimits), idleTimeoutMs: 1000 };
  const transport = { protocol: "http2", tls: null, sendsProxyProtocol: null, connectTimeoutMs: 5000, limits } as const;
  const pool = new EndpointPool(poolOptions(world.port, { transport, counters, clock }));
  const exchange = RecordedExchange.send(pool);
  await exchange.next("data");
  clock.tick(clock.nowMs + 5000);
  expect(counters).toMatchObject({ openConnections: 1, idleConnections: 0 });
  open[0]?.end("z");
  await exchange.settled();
  expect(counters).toMatchObject({ openConnections: 1, idleConnections: 1 });
  const isClosed = once(world.sessions[0]!, "close");
  clock.tick(clock.nowMs + 1000);
  await isClosed;
  expect(counters).toMatchObject({ openConnections: 0, idleConnections: 0, activeRequests: 0 });
  clock.stop();
});

test("a connection whose peer has vanished is found by its silence to a PING, and the next request gets another", async () => {
  await using server = await RawServer.listen();
  const manager = new ClusterManager();
  const limits = { ...defaultClusterLimits, http2Keepalive: { intervalMs: 20, timeoutMs: 20 } };
  manager.apply([clusterOf([{ port: server.port }], { protocol: "http2", limits })]);
  const send = () => RecordedExchange.send(manager.get("c")!.choose()!);
  const stuck = send();
  const silent = await server.connection(0);
  // Its SETTINGS, and then nothing any more.
  silent.socket.write(frame(4, 0, 0));
  expect(await stuck.settled()).toEqual(["error upstream_reset"]);
  await silent.closed();
  const next = send();
  expect(await server.connection(1)).not.toBe(silent);
  next.stream.abort();
  manager.close();
});

test("a peer that answers PINGs keeps its connection, however long it has nothing else to say", async () => {
  let pings = 0;
  await using world = await H2World.start((stream) => stream.respond({ ":status": 200 }, { endStream: true }), {
    limits: { http2Keepalive: { intervalMs: 5, timeoutMs: 5000 } },
  });
  await world.send().settled();
  const [session] = world.sessions;
  await new Promise<void>((resolve) => {
    session?.on("ping", () => {
      if (++pings === 3) resolve();
    });
  });
  expect(session?.destroyed).toBe(false);
  await world.send().settled();
  expect(world.sessions).toHaveLength(1);
});
