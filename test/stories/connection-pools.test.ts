// DestinationRule `connectionPool` as backends and clients see it: how many connections there are, who waits, who is turned away with UO,
// when a connection is given up. One worker, whose share the limits are.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BlackHole } from "../support/black-hole.ts";
import { documents, gatewayResource, httpServer, serviceOn } from "../support/config.ts";
import { curl } from "../support/curl.ts";
import { engineLanes } from "../support/engines.ts";
import { eventually } from "../support/eventually.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { HoldingBackend } from "../support/holding-backend.ts";

const host = "app.example";
type Json = Readonly<Record<string, unknown>>;

/** Seconds until the first probe; a number that no system has by itself. */
const keepaliveSeconds = 77;

const policies: Readonly<Record<string, { readonly pool: Json; readonly protocol?: "h2"; readonly holds?: true }>> = {
  "one-connection": { pool: { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1 } }, holds: true },
  "two-requests": { pool: { http: { http2MaxRequests: 2 } }, holds: true },
  "two-each": { pool: { http: { maxRequestsPerConnection: 2 } } },
  "two-each-h2": { pool: { http: { maxRequestsPerConnection: 2 } }, protocol: "h2" },
  "short-idle": { pool: { http: { idleTimeout: "1s" } } },
  "short-idle-h2": { pool: { http: { idleTimeout: "1s" } }, protocol: "h2" },
  "short-life": { pool: { tcp: { maxConnectionDuration: "1s" } } },
  "short-life-h2": { pool: { tcp: { maxConnectionDuration: "1s" } }, protocol: "h2" },
  keepalive: { pool: { tcp: { tcpKeepalive: { time: `${keepaliveSeconds}s` } } } },
  "keepalive-h2": { pool: { tcp: { tcpKeepalive: { time: `${keepaliveSeconds}s` } } }, protocol: "h2" },
  "two-streams": { pool: { http: { maxConcurrentStreams: 2 } }, protocol: "h2", holds: true },
  "one-connection-h2": {
    pool: { tcp: { maxConnections: 1 }, http: { maxConcurrentStreams: 1, http1MaxPendingRequests: 1 } },
    protocol: "h2",
    holds: true,
  },
};

describe.each(engineLanes)("$name:", ({ edge }) => {
  const backends = new Map<string, HoldingBackend>();
  let hole: BlackHole;
  let world: Gateway;

  beforeAll(async () => {
    hole = await BlackHole.open();
    for (const [name, { protocol = "h1", holds = false }] of Object.entries(policies)) {
      // eslint-disable-next-line no-await-in-loop
      backends.set(name, await HoldingBackend.start(protocol, holds));
    }
    world = await gateway({ config: { "app.yaml": config() }, edge: { ...edge, workers: 1 }, ports: [80] });
  });
  afterAll(async () => {
    for (const backend of backends.values()) backend.release();
    await world[Symbol.asyncDispose]();
    await Promise.all([...backends.values(), hole].map((backend) => backend[Symbol.asyncDispose]()));
  });

  function config(): string {
    const names = [...Object.keys(policies), "hole"];
    const rule = (name: string, pool: Json) => ({
      apiVersion: "networking.istio.io/v1",
      kind: "DestinationRule",
      metadata: { name },
      spec: { host: name, trafficPolicy: { connectionPool: pool } },
    });
    return documents(
      gatewayResource("app", [httpServer([host])]),
      {
        apiVersion: "networking.istio.io/v1",
        kind: "VirtualService",
        metadata: { name: "app" },
        spec: {
          hosts: [host],
          gateways: ["app"],
          http: names.map((name) => ({
            match: [{ uri: { exact: `/${name}` } }],
            route: [{ destination: { host: name, port: { number: 8000 } } }],
          })),
        },
      },
      ...Object.entries(policies).flatMap(([name, { pool, protocol }]) => [
        ...serviceOn(name, { name: protocol === "h2" ? "http2" : "http", port: 8000 }, [backendOf(name).port]),
        rule(name, pool),
      ]),
      ...serviceOn("hole", { name: "http", port: 8000 }, [hole.port]),
      rule("hole", { tcp: { connectTimeout: "200ms" } }),
    );
  }

  function backendOf(name: string): HoldingBackend {
    const backend = backends.get(name);
    if (backend === undefined) throw new Error(`no backend ${name}`);
    return backend;
  }

  const ask = (name: string) => curl("-H", `Host: ${host}`, world.url(80, `/${name}`));
  const askStatus = async (name: string) => (await ask(name)).status;
  const logged = (name: string, flag: string) =>
    world.edge.stdout.next((line) => line.includes(`/${name} HTTP/`) && line.includes(` ${flag} `));
  const holding = (name: string, count: number) =>
    eventually(`${count} requests at ${name}`, () => (backendOf(name).heldCount === count ? true : null));

  test.each(["one-connection", "one-connection-h2"])(
    "maxConnections and http1MaxPendingRequests: one is served, one waits, one is turned away: %s",
    async (name) => {
      const backend = backendOf(name);
      const overflow = logged(name, "UO");
      const answers: number[] = [];
      const all = Promise.all(
        Array.from({ length: 3 }, async () => {
          answers.push(await askStatus(name));
        }),
      );
      expect(await overflow).toContain(" 503 UO upstream_reset_before_response_started{overflow} ");
      await holding(name, 1);
      await eventually("the refusal", () => (answers.length === 1 ? true : null));
      backend.release();
      await holding(name, 1);
      backend.release();
      await all;
      expect(answers).toEqual([503, 200, 200]);
      expect([backend.requestCounts, backend.mostAtOnce]).toEqual([[2], 1]);
    },
  );

  test("http2MaxRequests bounds what is under way, over HTTP/1.1 as well", async () => {
    const name = "two-requests";
    const served = [askStatus(name), askStatus(name)];
    await holding(name, 2);
    const overflow = logged(name, "UO");
    expect(await askStatus(name)).toBe(503);
    await overflow;
    backendOf(name).release();
    expect(await Promise.all(served)).toEqual([200, 200]);
  });

  test.each(["two-each", "two-each-h2"])(
    "maxRequestsPerConnection: five requests take three connections: %s",
    async (name) => {
      for (let i = 0; i < 5; i++) {
        // One after the other is the point.
        // eslint-disable-next-line no-await-in-loop
        expect(await askStatus(name)).toBe(200);
      }
      expect(backendOf(name).requestCounts).toEqual([2, 2, 1]);
      await eventually("the end of the spent ones", () => (backendOf(name).openCount === 1 ? true : null));
    },
  );

  test.concurrent.each(["short-idle", "short-idle-h2", "short-life", "short-life-h2"])(
    "idleTimeout and maxConnectionDuration: the backend sees its connection end, the next request takes another: %s",
    async (name) => {
      const backend = backendOf(name);
      const before = backend.requestCounts.length;
      expect(await askStatus(name)).toBe(200);
      await eventually("the end of the connection", () => (backend.openCount === 0 ? true : null));
      expect(await askStatus(name)).toBe(200);
      expect(backend.requestCounts.slice(before)).toEqual([1, 1]);
    },
  );

  test("connectTimeout: where nobody answers it is 503 UF in that time, not in curl's 20 s", async () => {
    const line = logged("hole", "UF,URX");
    expect(await askStatus("hole")).toBe(503);
    expect(await line).toContain("upstream_reset_before_response_started{connection_timeout}");
  });

  test.skipIf(process.platform !== "linux").each(["keepalive", "keepalive-h2"])(
    "tcpKeepalive: the kernel counts down to the first probe: %s",
    async (name) => {
      expect(await askStatus(name)).toBe(200);
      const seconds = keepaliveTimerSeconds(backendOf(name).port);
      expect(seconds).toBeGreaterThan(keepaliveSeconds - 15);
      expect(seconds).toBeLessThanOrEqual(keepaliveSeconds);
    },
  );

  test("maxConcurrentStreams: a connection carries no more, another one the rest", async () => {
    const name = "two-streams";
    const statuses = Array.from({ length: 5 }, () => askStatus(name));
    await holding(name, 5);
    expect([backendOf(name).openCount, backendOf(name).mostAtOnce]).toEqual([3, 2]);
    backendOf(name).release();
    expect(await Promise.all(statuses)).toEqual([200, 200, 200, 200, 200]);
  });
});

/** What is left of the keepalive timer of the one connection to `port`, from the kernel's table; NaN without one. */
function keepaliveTimerSeconds(port: number): number {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const established = "01";
  const keepaliveTimer = "02";
  const ticksPerSecond = 100;
  for (const line of readFileSync("/proc/net/tcp", "utf8").split("\n")) {
    const [, , to = "", state, , timer = ""] = line.trim().split(/\s+/);
    const [kind, ticks = ""] = timer.split(":");
    if (to.endsWith(remote) && state === established && kind === keepaliveTimer)
      return parseInt(ticks, 16) / ticksPerSecond;
  }
  return Number.NaN;
}
