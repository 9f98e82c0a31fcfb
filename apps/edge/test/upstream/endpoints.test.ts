import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ClusterManager } from "../../src/upstream/cluster-manager.ts";
import type { HostAnswer } from "../../src/upstream/dns/lookup.ts";
import { parseUnixAddress } from "../../src/upstream/socket-address.ts";
import { clusterOf, RawServer } from "./raw-server.ts";
import { RecordedExchange } from "./recorded-exchange.ts";

const done = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

describe("a Unix socket", () => {
  test.each([
    ["a path", (directory: string) => `unix://${join(directory, "s.sock")}`],
    ["an abstract name", () => `unix://@sluice-test-${process.pid}`],
  ])("with %s is reached", async (_name, addressIn) => {
    const directory = await mkdtemp(join(tmpdir(), "sluice-unix-"));
    const address = addressIn(directory);
    const server = createServer((request, response) => response.end(`hello ${request.headers.host}`));
    server.listen(parseUnixAddress(address)?.path);
    await once(server, "listening");
    const manager = new ClusterManager();
    manager.apply([clusterOf([{ address, port: 0 }])]);
    const pool = manager.get("c")?.choose();
    expect(pool?.address).toBe(address);
    const exchange = RecordedExchange.send(pool!);
    await exchange.settled();
    expect(exchange.body).toBe("hello a");
    expect(exchange.stream).toMatchObject({ remoteAddress: address, localAddress: "" });
    manager.close();
    server.close();
    await rm(directory, { recursive: true });
  });

  test("whose path is too long, relative to nothing or cut by NUL is no endpoint", () => {
    expect(parseUnixAddress(`unix:///${"x".repeat(106)}`)).not.toBeNull();
    // The kernel's name would end in the middle, which may be somebody else's socket.
    expect(parseUnixAddress(`unix:///${"x".repeat(107)}`)).toBeNull();
    expect(parseUnixAddress("unix://")).toBeNull();
    expect(parseUnixAddress("unix://@")).toBeNull();
    expect(parseUnixAddress("unix:///a\0b")).toBeNull();
    const manager = new ClusterManager();
    manager.apply([clusterOf([{ address: `unix:///${"x".repeat(200)}`, port: 0 }])]);
    expect(manager.get("c")?.choose()).toBeNull();
    manager.close();
  });
});

test("of an endpoint listed with two priorities the first counts, with its weight alone", () => {
  const manager = new ClusterManager();
  manager.apply([
    clusterOf([
      { port: 1, priority: 1, weight: 5 },
      { port: 1, priority: 0, weight: 2 },
      { port: 1, priority: 1, weight: 5 },
    ]),
  ]);
  expect(manager.get("c")?.choose()).toMatchObject({ weight: 2, priority: 0 });
  manager.close();
});

describe("a LOGICAL_DNS host", () => {
  const hostOf = (addresses: string[]) => async (): Promise<HostAnswer> => ({
    addresses: addresses.map((address) => ({ address, family: 4 })),
    ttlMs: 3_600_000,
  });

  test("is one endpoint, whose connections take its addresses in turn", async () => {
    await using first = await RawServer.listen();
    // The same port on the next address of this machine.
    const second = createServer((_request, response) => response.end());
    second.listen(first.port, "127.0.0.2");
    await once(second, "listening");
    const manager = new ClusterManager({ resolver: { lookup: hostOf(["127.0.0.1", "127.0.0.2"]) } });
    manager.apply([clusterOf([{ address: "web.test", port: first.port }], { discovery: "LOGICAL_DNS" })]);
    await manager.whenResolved();
    const pool = manager.get("c")!.choose()!;
    expect([manager.stats()[0]?.endpoints, pool.address]).toEqual([1, `web.test:${first.port}`]);
    const seen: string[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const exchange = RecordedExchange.send(pool, { fields: "connection: close\r\n" });
      if (turn % 2 === 0) {
        const connection = await first.connection(turn / 2);
        await connection.request();
        connection.socket.end(done);
      }
      expect((await exchange.settled()).at(-1)).toBe("end");
      seen.push(exchange.stream.remoteAddress.split(":")[0] ?? "");
    }
    expect(seen).toEqual(["127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.2"]);
    manager.close();
    second.close();
    second.closeAllConnections();
  });

  test("keeps its connections when its addresses change", async () => {
    await using server = await RawServer.listen();
    const addresses = ["127.0.0.1"];
    const lookup = async () => hostOf(addresses)();
    const manager = new ClusterManager({ resolver: { lookup } });
    const cluster = clusterOf([{ address: "web.test", port: server.port }], { discovery: "LOGICAL_DNS" });
    manager.apply([cluster]);
    await manager.whenResolved();
    const pool = manager.get("c")!.choose()!;
    const exchange = RecordedExchange.send(pool);
    await (await server.connection(0)).request();
    (await server.connection(0)).socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    await exchange.settled();
    manager.apply([{ ...cluster, endpoints: [{ ...cluster.endpoints[0]!, weight: 3 }] }]);
    expect(manager.get("c")?.choose()).toBe(pool);
    expect(manager.stats()).toMatchObject([{ idleConnections: 1 }]);
    manager.close();
  });

  test("that has not resolved is no endpoint", async () => {
    const manager = new ClusterManager({ resolver: { lookup: async () => Promise.reject(new Error("ENOTFOUND")) } });
    manager.apply([clusterOf([{ address: "web.test", port: 1 }], { discovery: "LOGICAL_DNS" })]);
    await manager.whenResolved();
    expect(manager.get("c")?.choose()).toBeNull();
    manager.close();
  });
});
