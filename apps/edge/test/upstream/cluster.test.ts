import { expect, test } from "vitest";
import { ClusterManager } from "../../src/upstream/cluster-manager.ts";
import type { HostAnswer, ResolvedAddress } from "../../src/upstream/dns/lookup.ts";
import { clusterOf, RawServer, World } from "./raw-server.ts";
import { RecordedExchange } from "./recorded-exchange.ts";

const done = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

test("endpoints that are not healthy are never chosen", () => {
  const manager = new ClusterManager();
  manager.apply([clusterOf([{ port: 1, healthy: false }, { port: 2 }])]);
  for (let i = 0; i < 100; i++) expect(manager.get("c")?.choose()?.address).toBe("127.0.0.1:2");
  manager.apply([clusterOf([{ port: 1, healthy: false }])]);
  expect(manager.get("c")?.choose()).toBeNull();
  manager.close();
});

test("an endpoint listed twice counts once, with both weights", () => {
  const manager = new ClusterManager();
  manager.apply([clusterOf([{ port: 1 }, { port: 1, weight: 2 }])]);
  expect(manager.stats()).toMatchObject([{ cluster: "c", endpoints: 1 }]);
  expect(manager.get("c")?.choose()?.weight).toBe(3);
  manager.close();
});

test("addresses of IPv6 endpoints are written in brackets", () => {
  const manager = new ClusterManager();
  manager.apply([clusterOf([{ address: "::1", port: 8000 }])]);
  expect(manager.get("c")?.choose()?.address).toBe("[::1]:8000");
  manager.close();
});

test("an update keeps the connections of endpoints that remain", async () => {
  await using world = await World.start();
  const exchange = RecordedExchange.send(world.pool);
  (await world.server.connection(0)).socket.write(done);
  await exchange.settled();
  const { pool } = world;
  world.manager.apply([clusterOf([{ port: world.server.port, weight: 7 }], { connectTimeoutMs: 9 })]);
  expect(world.pool).toBe(pool);
  expect(pool).toMatchObject({ weight: 7, options: { transport: { connectTimeoutMs: 9 } } });
  expect(world.manager.stats()).toMatchObject([{ idleConnections: 1 }]);
});

test("an endpoint that goes finishes what it carries and closes what is idle", async () => {
  await using world = await World.start();
  const exchanges = [RecordedExchange.send(world.pool), RecordedExchange.send(world.pool)];
  const [idle, busy] = [await world.server.connection(0), await world.server.connection(1)];
  await Promise.all([idle.request(), busy.request()]);
  idle.socket.write(done);
  await Promise.race(exchanges.map((exchange) => exchange.settled()));
  const runtime = world.manager.get("c");
  world.manager.apply([]);
  await idle.closed();
  expect(world.manager.get("c")).toBeNull();
  expect(runtime?.choose()).toBeNull();
  busy.socket.write(done);
  await Promise.all(exchanges.map((exchange) => exchange.settled()));
  for (const exchange of exchanges) expect(exchange.calls).toEqual(["head 200", "end"]);
  await busy.closed();
  expect(runtime?.stats()).toMatchObject({ openConnections: 0, idleConnections: 0, activeRequests: 0 });
});

test("a cluster that did not change keeps its runtime and its pools untouched", () => {
  const manager = new ClusterManager();
  manager.apply([clusterOf([{ port: 1 }])]);
  const runtime = manager.get("c");
  const pool = runtime?.choose();
  manager.apply([clusterOf([{ port: 1 }]), clusterOf([{ port: 2 }], { name: "d" })]);
  expect(manager.get("c")).toBe(runtime);
  expect(manager.get("c")?.choose()).toBe(pool);
  expect(manager.get("d")?.choose()?.address).toBe("127.0.0.1:2");
  manager.close();
});

test("host names are resolved, and followed when they move", async () => {
  let answer: ResolvedAddress[] = [{ address: "10.0.0.1", family: 4 }];
  const lookup = async (): Promise<HostAnswer> => ({ addresses: answer, ttlMs: 1 });
  const manager = new ClusterManager({ resolver: { lookup, minTtlMs: 1 } });
  const cluster = clusterOf([{ address: "web.test", port: 80 }], { discovery: "STRICT_DNS" });
  manager.apply([cluster]);
  const runtime = manager.get("c");
  expect(runtime?.choose()).toBeNull();
  await manager.whenResolved();
  expect(runtime?.choose()?.address).toBe("10.0.0.1:80");
  answer = [{ address: "10.0.0.2", family: 4 }];
  await expect.poll(() => runtime?.choose()?.address).toBe("10.0.0.2:80");
  manager.close();
});

test("a request reaches a host name through the system's resolver", async () => {
  await using server = await RawServer.listen();
  const manager = new ClusterManager();
  manager.apply([clusterOf([{ address: "localhost", port: server.port }], { discovery: "STRICT_DNS" })]);
  await manager.whenResolved();
  const pool = manager.get("c")?.choose();
  if (!pool) throw new Error("localhost did not resolve");
  const exchange = RecordedExchange.send(pool);
  (await server.connection(0)).socket.write(done);
  expect(await exchange.settled()).toEqual(["head 200", "end"]);
  manager.close();
});
