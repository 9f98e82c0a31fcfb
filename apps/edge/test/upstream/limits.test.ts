import { defaultClusterLimits, type Cluster, type ClusterLimits } from "@sluice/core/model";
import { createServer } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { encodeProxyHeader } from "../../src/exchange/proxy-header.ts";
import { clusterOf, type RawConnection, World } from "./raw-server.ts";
import { RecordedExchange, turns } from "./recorded-exchange.ts";

const done = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

async function worldWith(limits: Partial<ClusterLimits>, rest: Partial<Cluster> = {}): Promise<World> {
  const world = await World.start();
  const { port } = world.server;
  world.manager.apply([clusterOf([{ port }], { limits: { ...defaultClusterLimits, ...limits }, ...rest })]);
  return world;
}

async function answer(connection: RawConnection): Promise<void> {
  await connection.request();
  connection.socket.write(done);
}

test("more requests under way than allowed overflow, and room comes back", async () => {
  await using world = await worldWith({ maxRequests: 2 });
  const [first, second, third] = Array.from({ length: 3 }, () => RecordedExchange.send(world.pool));
  expect(await third?.settled()).toEqual(["error upstream_overflow"]);
  await answer(await world.server.connection(0));
  await answer(await world.server.connection(1));
  await Promise.all([first?.settled(), second?.settled()]);
  const fourth = RecordedExchange.send(world.pool);
  await Promise.race([answer(await world.server.connection(0)), answer(await world.server.connection(1))]);
  expect(await fourth.settled()).toEqual(["head 200", "end"]);
  expect(world.manager.stats()).toMatchObject([{ activeRequests: 0 }]);
});

test("without limits any number of requests may wait", async () => {
  await using world = await worldWith({ maxConnections: 1, maxPendingRequests: 0 });
  const exchanges = Array.from({ length: 1500 }, () => RecordedExchange.send(world.pool));
  await turns();
  expect(world.manager.stats()).toMatchObject([{ pendingRequests: 1499, openConnections: 1 }]);
  for (const exchange of exchanges) exchange.stream.abort();
  await turns();
  expect(world.manager.stats()).toMatchObject([{ pendingRequests: 0, activeRequests: 0 }]);
});

test("connections are counted over all endpoints, and an endpoint without any may open one", async () => {
  await using world = await worldWith({ maxConnections: 1 });
  const { port } = world.server;
  const limits = { ...defaultClusterLimits, maxConnections: 1 };
  world.manager.apply([clusterOf([{ port }, { address: "127.0.0.2", port }], { limits })]);
  const pools = new Set(Array.from({ length: 100 }, () => world.pool));
  expect(pools.size).toBe(2);
  for (const pool of pools) for (let i = 0; i < 3; i++) RecordedExchange.send(pool);
  expect(world.manager.stats()).toMatchObject([{ openConnections: 2, pendingRequests: 4 }]);
});

test("a connection carries no more requests than allowed", async () => {
  await using world = await worldWith({ maxRequestsPerConnection: 2 });
  for (const index of [0, 0, 1]) {
    const exchange = RecordedExchange.send(world.pool);
    await answer(await world.server.connection(index));
    await exchange.settled();
  }
  await (await world.server.connection(0)).closed();
  expect(world.manager.stats()).toMatchObject([{ openConnections: 1 }]);
});

test("a connection older than allowed closes after what it carries", async () => {
  await using world = await worldWith({ maxConnectionDurationMs: 1 });
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  const bornAt = performance.now();
  await upstream.request();
  while (performance.now() - bornAt < 2) await turns(1);
  upstream.socket.write(done);
  expect(await exchange.settled()).toEqual(["head 200", "end"]);
  await upstream.closed();
});

test("a connect that takes too long fails, also under HTTP/2, where an upstream that says nothing is no upstream", async () => {
  await using silent = await World.start();
  silent.manager.apply([clusterOf([{ port: silent.server.port }], { protocol: "http2", connectTimeoutMs: 50 })]);
  expect(await RecordedExchange.send(silent.pool).settled()).toEqual(["error connect_timeout"]);
  const tls = { certificate: null, trustedCa: null, crl: null, sni: "a", subjectAltNames: [], acceptsUntrusted: true };
  silent.manager.apply([clusterOf([{ port: silent.server.port }], { tls, connectTimeoutMs: 50 })]);
  expect(await RecordedExchange.send(silent.pool).settled()).toEqual(["error connect_timeout"]);
  expect(silent.manager.stats()).toMatchObject([{ openConnections: 0, activeRequests: 0 }]);
});

test.each(["http1", "http2"] as const)("nobody there is a connect failure: %s", async (protocol) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  await using world = await World.start();
  world.manager.apply([clusterOf([{ port: typeof address === "object" ? (address?.port ?? 0) : 0 }], { protocol })]);
  expect(await RecordedExchange.send(world.pool).settled()).toEqual(["error connect_failure"]);
});

test("with PROXY headers a connection is one client's, and begins with who that is", async () => {
  await using world = await worldWith({}, { sendsProxyProtocol: "V1" });
  const client = (remotePort: number) => ({
    origin: { downstream: { remoteAddress: "203.0.113.9", remotePort, localAddress: "192.0.2.1", localPort: 443 } },
  });
  for (const [port, index, start] of [
    [1000, 0, "PROXY TCP4 203.0.113.9 192.0.2.1 1000 443\r\n"],
    [1001, 1, "PROXY TCP4 203.0.113.9 192.0.2.1 1001 443\r\n"],
    [1000, 0, ""],
  ] as const) {
    const exchange = RecordedExchange.send(world.pool, client(port));
    const upstream = await world.server.connection(index);
    const heard = await upstream.request();
    expect(heard.startsWith(`${start}GET / `)).toBe(true);
    upstream.socket.write(done);
    expect(await exchange.settled()).toEqual(["head 200", "end"]);
  }
  expect(world.server.connections).toHaveLength(2);
});

test("the PROXY header goes before the TLS handshake", async () => {
  const tls = { certificate: null, trustedCa: null, crl: null, sni: "a", subjectAltNames: [], acceptsUntrusted: true };
  await using world = await worldWith({}, { sendsProxyProtocol: "V1", tls });
  const exchange = RecordedExchange.send(world.pool);
  const upstream = await world.server.connection(0);
  const header = "PROXY TCP4 203.0.113.9 192.0.2.1 40000 443\r\n";
  // A TLS record of the handshake, version 3.x.
  await expect.poll(() => upstream.received.startsWith(`${header}\x16\x03`)).toBe(true);
  upstream.socket.destroy();
  expect(await exchange.settled()).toEqual(["error upstream_tls_failure"]);
});

test("at the limit of connections one client's idle one gives way to another client", async () => {
  await using world = await worldWith({ maxConnections: 1 }, { sendsProxyProtocol: "V2" });
  for (const [index, remotePort] of [1, 2, 3].entries()) {
    const downstream = { remoteAddress: "203.0.113.9", remotePort, localAddress: "192.0.2.1", localPort: 443 };
    const exchange = RecordedExchange.send(world.pool, { origin: { downstream } });
    await answer(await world.server.connection(index));
    expect(await exchange.settled()).toEqual(["head 200", "end"]);
  }
  await (await world.server.connection(1)).closed();
  expect(world.manager.stats()).toMatchObject([{ openConnections: 1 }]);
});

test.each([
  ["V1", "203.0.113.9", "192.0.2.1", "PROXY TCP4 203.0.113.9 192.0.2.1 1 2\r\n"],
  ["V1", "2001:db8::1", "::1", "PROXY TCP6 2001:db8::1 ::1 1 2\r\n"],
  ["V1", "::ffff:203.0.113.9", "192.0.2.1", "PROXY TCP4 203.0.113.9 192.0.2.1 1 2\r\n"],
  ["V1", "203.0.113.9", "::1", "PROXY TCP6 ::ffff:203.0.113.9 ::1 1 2\r\n"],
  ["V2", "203.0.113.9", "192.0.2.1", "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\xc0\0\x02\x01\0\x01\0\x02"],
  [
    "V2",
    "2001:db8::1",
    "64:ff9b::1.2.3.4",
    "\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\x64\xff\x9b\0\0\0\0\0\0\0\0\x01\x02\x03\x04\0\x01\0\x02",
  ],
  ["V2", "", "192.0.2.1", "\r\n\r\n\0\r\nQUIT\n\x21\0\0\0"],
] as const)("PROXY header %s from %s to %s", (version, from, to, expected) => {
  const bytes = encodeProxyHeader(version, { address: from, port: 1 }, { address: to, port: 2 });
  expect(Buffer.from(bytes).toString("latin1")).toBe(expected);
});
