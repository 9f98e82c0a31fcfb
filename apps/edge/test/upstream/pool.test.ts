import { expect, test } from "vitest";
import { IdleClock } from "../../src/upstream/idle-clock.ts";
import { createCounters } from "../../src/upstream/cluster-counters.ts";
import { defaultClusterLimits } from "@sluice/core/model";
import { EndpointPool } from "../../src/upstream/pool.ts";
import { type PoolLimits, toPoolLimits } from "../../src/upstream/pool-limits.ts";
import { poolOptions, RawServer, type RawConnection, World } from "./raw-server.ts";
import { RecordedExchange, type SentRequest, turns } from "./recorded-exchange.ts";

const done = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/** Sends a request and has it answered on the connection with this number. */
async function exchangeOn(world: World, index: number): Promise<RawConnection> {
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(index);
  await upstream.request();
  upstream.socket.write(done);
  expect((await exchange.settled()).at(-1)).toBe("end");
  return upstream;
}

test.each<[string, SentRequest]>([
  ["GET", { method: "GET" }],
  ["DELETE", { method: "DELETE" }],
  ["PUT of which no body was sent", { method: "PUT", body: "length", fields: "content-length: 5\r\n" }],
])("a %s on a kept connection that dies unanswered is sent again", async (_name, request) => {
  await using world = await World.start();
  const kept = await exchangeOn(world, 0);
  const exchange = RecordedExchange.send(world.pool, request);
  await kept.request();
  kept.socket.destroy();
  const fresh = await world.server.connection(1);
  expect(await fresh.request()).toContain(`${request.method} / HTTP/1.1`);
  fresh.socket.write(done);
  expect(await exchange.settled()).toEqual(["head 200", "end"]);
  expect(world.manager.stats()).toMatchObject([{ resendTotal: 1, connectTotal: 2, activeRequests: 0 }]);
});

test("it is sent again once, not for ever", async () => {
  await using world = await World.start();
  const kept = await exchangeOn(world, 0);
  const exchange = RecordedExchange.send(world.pool);
  await kept.request();
  kept.socket.destroy();
  const fresh = await world.server.connection(1);
  await fresh.request();
  fresh.socket.destroy();
  expect(await exchange.settled()).toEqual(["error upstream_reset"]);
  expect(world.server.connections).toHaveLength(2);
});

test.each<[string, SentRequest, string]>([
  ["a POST", { method: "POST" }, ""],
  ["a PATCH", { method: "PATCH" }, ""],
  ["a PUT whose body has begun", { method: "PUT", body: "length", fields: "content-length: 5\r\n" }, "he"],
])("%s is never sent twice", async (_name, request, body) => {
  await using world = await World.start();
  const kept = await exchangeOn(world, 0);
  const exchange = RecordedExchange.send(world.pool, request);
  if (body !== "") exchange.stream.write(Buffer.from(body));
  await kept.until(`\r\n\r\n${body}`);
  kept.socket.destroy();
  expect(await exchange.settled()).toEqual(["error upstream_reset"]);
  expect(world.server.connections).toHaveLength(1);
});

test("a request is not sent again once the upstream has begun to answer", async () => {
  await using world = await World.start();
  const kept = await exchangeOn(world, 0);
  const exchange = RecordedExchange.send(world.pool);
  await kept.request();
  kept.socket.end("HTTP/1.1 2");
  expect(await exchange.settled()).toEqual(["error upstream_reset"]);
  expect(world.server.connections).toHaveLength(1);
});

test("a request is not sent again when its connection was new", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  (await world.server.connection(0)).socket.destroy();
  expect(await exchange.settled()).toEqual(["error upstream_reset"]);
  expect(world.server.connections).toHaveLength(1);
});

test("an idle connection that the upstream closes leaves the pool at once", async () => {
  await using world = await World.start();
  const kept = await exchangeOn(world, 0);
  kept.socket.end();
  await kept.closed();
  await turns();
  expect(world.manager.stats()).toMatchObject([{ idleConnections: 0, openConnections: 0 }]);
  await exchangeOn(world, 1);
});

function poolOf(
  server: RawServer,
  limits: Partial<PoolLimits>,
): { pool: EndpointPool; clock: IdleClock; counters: ReturnType<typeof createCounters> } {
  const clock = new IdleClock();
  const counters = createCounters();
  const transport = {
    protocol: "http1",
    tls: null,
    sendsProxyProtocol: null,
    connectTimeoutMs: 5000,
    limits: { ...toPoolLimits(defaultClusterLimits), ...limits },
  } as const;
  const pool = new EndpointPool(poolOptions(server.port, { transport, counters, clock }));
  return { pool, clock, counters };
}

test("the connection used last is used next, and those idle too long close", async () => {
  await using server = await RawServer.listen();
  const { pool, clock, counters } = poolOf(server, { idleTimeoutMs: 60_000 });
  const exchanges = [RecordedExchange.send(pool), RecordedExchange.send(pool)];
  const first = await server.connection(0);
  const second = await server.connection(1);
  await Promise.all([first.request(), second.request()]);
  first.socket.write(done);
  await Promise.race(exchanges.map((exchange) => exchange.settled()));
  clock.tick(clock.nowMs + 40_000);
  second.socket.write(done);
  await Promise.all(exchanges.map((exchange) => exchange.settled()));
  expect(counters.idleConnections).toBe(2);

  clock.tick(clock.nowMs + 30_000);
  await first.closed();
  expect(counters).toMatchObject({ idleConnections: 1, openConnections: 1 });

  const next = RecordedExchange.send(pool);
  await second.request();
  second.socket.write(done);
  await next.settled();
  clock.tick(clock.nowMs + 60_000);
  await second.closed();
  expect(counters).toMatchObject({ idleConnections: 0, openConnections: 0 });
});

test("no more idle connections are kept than allowed", async () => {
  await using server = await RawServer.listen();
  const { pool, clock, counters } = poolOf(server, { maxIdleConnections: 1 });
  const exchanges = [RecordedExchange.send(pool), RecordedExchange.send(pool)];
  for (const index of [0, 1]) (await server.connection(index)).socket.write(done);
  await Promise.all(exchanges.map((exchange) => exchange.settled()));
  expect(counters).toMatchObject({ idleConnections: 1, openConnections: 1 });
  pool.retire();
  clock.stop();
});

test("at the limit of connections requests wait, beyond the limit of waiting they overflow", async () => {
  await using server = await RawServer.listen();
  const { pool, clock, counters } = poolOf(server, { maxConnections: 1, maxPendingRequests: 2 });
  const first = RecordedExchange.send(pool);
  const second = RecordedExchange.send(pool, { method: "POST", body: "chunked" });
  const third = RecordedExchange.send(pool);
  const fourth = RecordedExchange.send(pool);
  expect(await fourth.settled()).toEqual(["error upstream_overflow"]);
  expect(second.stream.write(Buffer.from("waits"))).toBe(false);
  third.stream.abort();
  expect(counters).toMatchObject({ pendingRequests: 1, activeRequests: 2 });

  const upstream = await server.connection(0);
  await upstream.request();
  const drained = second.next("drain");
  upstream.socket.write(done);
  expect(await first.settled()).toEqual(["head 200", "end"]);
  await drained;
  second.stream.end();
  expect(await upstream.until("0\r\n\r\n")).toBe("POST / HTTP/1.1\r\nhost: a\r\n\r\n5\r\nwaits\r\n0\r\n\r\n");
  upstream.socket.write(done);
  expect(await second.settled()).toEqual(["drain", "head 200", "end"]);
  expect(third.calls).toEqual([]);
  expect(server.connections).toHaveLength(1);
  pool.retire();
  clock.stop();
});

test("a waiting request gets a new connection when the one it waited for dies", async () => {
  await using server = await RawServer.listen();
  const { pool, clock } = poolOf(server, { maxConnections: 1 });
  const first = RecordedExchange.send(pool);
  const second = RecordedExchange.send(pool);
  (await server.connection(0)).socket.destroy();
  expect(await first.settled()).toEqual(["error upstream_reset"]);
  (await server.connection(1)).socket.write(done);
  expect(await second.settled()).toEqual(["head 200", "end"]);
  pool.retire();
  clock.stop();
});

test("a request sent again by way of the queue is not sent a third time", async () => {
  await using server = await RawServer.listen();
  const { pool, clock, counters } = poolOf(server, { maxConnections: 1 });
  const first = RecordedExchange.send(pool);
  const kept = await server.connection(0);
  await kept.request();
  kept.socket.write(done);
  await first.settled();
  const second = RecordedExchange.send(pool);
  const third = RecordedExchange.send(pool);
  await kept.request();
  kept.socket.destroy();
  // The third gets the new connection, the second follows on it.
  const fresh = await server.connection(1);
  await fresh.request();
  fresh.socket.write(done);
  await third.settled();
  await fresh.request();
  fresh.socket.destroy();
  expect(await second.settled()).toEqual(["error upstream_reset"]);
  expect(counters).toMatchObject({ resendTotal: 1, activeRequests: 0, openConnections: 0 });
  clock.stop();
});

test("a request paused while it waits stays paused on its connection", async () => {
  await using server = await RawServer.listen();
  const { pool, clock } = poolOf(server, { maxConnections: 1 });
  const first = RecordedExchange.send(pool);
  const second = RecordedExchange.send(pool);
  second.stream.pause();
  const upstream = await server.connection(0);
  await upstream.request();
  upstream.socket.write(done);
  await first.settled();
  await upstream.request();
  upstream.socket.write(done);
  await turns(10);
  expect(second.calls).toEqual([]);
  second.stream.resume();
  expect(await second.settled()).toEqual(["head 200", "end"]);
  pool.retire();
  clock.stop();
});
