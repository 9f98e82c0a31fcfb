import { expect, test } from "vitest";
import { clusterOf, RawServer, World } from "./raw-server.ts";
import { ClusterManager } from "../../src/upstream/cluster-manager.ts";
import { RecordedExchange, turns } from "./recorded-exchange.ts";

const hello = "HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ncontent-length: 5\r\n\r\nhello";

test("a response is reported once, in order, with the addresses of the connection", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool, { fields: "x: y\r\n" });
  const upstream = await world.server.connection(0);
  expect(await upstream.request()).toBe("GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n\r\n");
  upstream.socket.write(hello);
  expect(await exchange.settled()).toEqual(["head 200", "data hello", "end"]);
  expect(exchange.headers).toEqual(["content-type", "a/b"]);
  expect(exchange.bodyLength).toBe(5);
  expect(exchange.stream.remoteAddress).toBe(`127.0.0.1:${world.server.port}`);
  expect(exchange.stream.localAddress).toBe(`127.0.0.1:${upstream.socket.remotePort}`);
});

test("a read that leaves the response open is followed by a flush", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  upstream.socket.write("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
  await exchange.next("flush");
  upstream.socket.write("2\r\nhi\r\n3\r\nyou\r\n");
  await exchange.next("flush");
  upstream.socket.write("0\r\n\r\n");
  expect(await exchange.settled()).toEqual([
    "informational 103",
    "head 200",
    "flush",
    "data hi",
    "data you",
    "flush",
    "end",
  ]);
});

test("the next request goes out on the same connection", async () => {
  await using world = await World.start();
  const first = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  await upstream.request();
  upstream.socket.write(hello);
  await first.settled();
  const second = RecordedExchange.send(world.pool);
  await upstream.request();
  upstream.socket.write(hello);
  expect(await second.settled()).toEqual(["head 200", "data hello", "end"]);
  expect(world.server.connections).toHaveLength(1);
  expect(world.manager.stats()).toMatchObject([
    { connectTotal: 1, reuseTotal: 1, idleConnections: 1, activeRequests: 0 },
  ]);
});

test("a handler may send the next request from inside the end of the last", async () => {
  await using world = await World.start();
  const first = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  let second: RecordedExchange | undefined;
  first.during = (call) => {
    if (call === "end") second = RecordedExchange.send(world.pool);
  };
  upstream.socket.write(hello);
  await first.settled();
  await upstream.until("\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n");
  upstream.socket.write(hello);
  expect(await second?.settled()).toEqual(["head 200", "data hello", "end"]);
});

test.each([
  ["says close", "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"],
  ["answers in HTTP/1.0", "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"],
  ["sends more than it announced", `${hello}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison`],
])("a connection whose upstream %s is not used again, the response is good", async (_name, response) => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  await upstream.request();
  upstream.socket.write(response);
  expect((await exchange.settled()).at(-1)).toBe("end");
  await upstream.closed();
  expect(world.manager.stats()).toMatchObject([{ openConnections: 0, idleConnections: 0 }]);
});

test("bytes on an idle connection close it, they are no answer to the next request", async () => {
  await using world = await World.start();
  const first = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  await upstream.request();
  upstream.socket.write(hello);
  await first.settled();
  upstream.socket.write("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n");
  await upstream.closed();
  const second = RecordedExchange.send(world.pool);
  const fresh = await world.server.connection(1);
  await fresh.request();
  fresh.socket.write(hello);
  expect((await second.settled())[0]).toBe("head 200");
});

test.each([
  ["with the end of the connection", "HTTP/1.1 200 OK\r\n\r\nto the end", ["head 200", "data to the end", "end"]],
  ["cut short of its length", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort", "error upstream_reset_midway"],
  [
    "cut short of its last chunk",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n",
    "error upstream_reset_midway",
  ],
  ["inside the head", "HTTP/1.1 200 OK\r\ncontent-", "error upstream_reset"],
  ["before the head", "", "error upstream_reset"],
])("a response that ends %s is told for what it is", async (_name, response, want) => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  await upstream.request();
  upstream.socket.end(response);
  const calls = (await exchange.settled()).filter((call) => call !== "flush");
  if (typeof want === "string") expect(calls.at(-1)).toBe(want);
  else expect(calls).toEqual(want);
});

test("a reset in the middle of a body that would end with the connection is no end", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  await upstream.request();
  upstream.socket.write("HTTP/1.1 200 OK\r\n\r\nto the e");
  await exchange.next("flush");
  upstream.socket.resetAndDestroy();
  expect((await exchange.settled()).at(-1)).toBe("error upstream_reset_midway");
  expect(exchange.stream.detail).toBe("ECONNRESET");
});

test.each([
  ["before the head", "HTTP/1.1 200 OK\nfoo: bar\r\n\r\n", "bad status line"],
  ["in the body", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\nzz\r\n", "bad chunk"],
])("a response refused %s is a protocol error and closes the connection", async (_name, response, detail) => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  upstream.socket.write(response);
  expect((await exchange.settled()).at(-1)).toBe("error upstream_protocol_error");
  expect(exchange.stream.detail).toBe(detail);
  await upstream.closed();
});

test("a refused connection is a connect failure", async () => {
  const server = await RawServer.listen();
  const { port } = server;
  await server[Symbol.asyncDispose]();
  const manager = new ClusterManager();
  manager.apply([clusterOf([{ port }])]);
  const pool = manager.get("c")?.choose();
  if (!pool) throw new Error("no endpoint");
  const exchange = RecordedExchange.send(pool);
  expect(await exchange.settled()).toEqual(["error connect_failure"]);
  expect(exchange.stream.detail).toBe("ECONNREFUSED");
  expect(manager.stats()).toMatchObject([{ connectFailureTotal: 1, openConnections: 0, activeRequests: 0 }]);
});

test("a connection that does not come about in time is a connect timeout", async () => {
  // TEST-NET-1 (RFC 5737) answers nobody; where the machine has no route it fails at once, which is a failure to connect as well.
  const manager = new ClusterManager();
  manager.apply([clusterOf([{ address: "192.0.2.1" }], { connectTimeoutMs: 20 })]);
  const pool = manager.get("c")?.choose();
  if (!pool) throw new Error("no endpoint");
  const calls = await RecordedExchange.send(pool).settled();
  expect(["error connect_timeout", "error connect_failure"]).toContain(calls[0]);
  expect(manager.stats()).toMatchObject([{ connectFailureTotal: 1, openConnections: 0, activeRequests: 0 }]);
});

test("an aborted stream is silent and takes its connection along", async () => {
  await using world = await World.start();
  for (const moment of ["head 200", "data he", "flush"]) {
    const index = world.server.connections.length;
    const exchange = RecordedExchange.send(world.pool);
    const upstream = await world.server.connection(index);
    exchange.during = (call) => {
      if (call === moment) exchange.stream.abort();
    };
    upstream.socket.write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe");
    await upstream.closed();
    expect(exchange.calls.at(-1)).toBe(moment);
    exchange.stream.abort();
    expect(exchange.stream.write(Buffer.from("x"))).toBe(true);
  }
  expect(world.manager.stats()).toMatchObject([{ openConnections: 0, activeRequests: 0 }]);
});

test("a stream aborted before it is connected never speaks", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  exchange.stream.abort();
  await turns();
  expect(exchange.calls).toEqual([]);
  expect(world.manager.stats()).toMatchObject([{ openConnections: 0, activeRequests: 0 }]);
});
