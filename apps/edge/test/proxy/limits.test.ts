// Limits that the proxy itself keeps: how long an exchange may take in all, how much a client may send, and what counts as an accepted tunnel.
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { defaultClusterLimits, forwardTo, plainEndpoint, plainTransport, type Table } from "@sluice/core/model";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AccessLog } from "../../src/observe/access-log.ts";
import { Proxy } from "../../src/proxy/proxy.ts";
import { buildRuntimeTable } from "../../src/proxy/runtime-table.ts";
import { ClusterManager } from "../../src/upstream/cluster-manager.ts";
import { FakeExchange } from "../support/fake-exchange.ts";

let upstream: Server;
let accepted: Socket[] = [];
const proxies: Proxy[] = [];
const clusters = new ClusterManager();
let finished = 0;

beforeEach(async () => {
  accepted = [];
  finished = 0;
  upstream = createServer((socket) => {
    socket.on("error", () => undefined).resume();
    accepted.push(socket);
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
});

afterEach(() => {
  for (const proxy of proxies.splice(0)) proxy.close();
  for (const socket of accepted) socket.destroy();
  upstream.close();
  clusters.apply([]);
});

function proxyWith(limits: { requestTimeoutMs?: number; maxBodyBytes?: number }): Proxy {
  const { port } = upstream.address() as { port: number };
  const ref = { namespace: "default", name: "vs", apiVersion: "networking.istio.io/v1" };
  const table: Table = {
    listeners: [
      {
        name: "0.0.0.0_80",
        address: "0.0.0.0",
        port: 80,
        declaredPort: 80,
        transport: "http",
        acceptsProxyProtocol: false,
        engine: "node",
        engineReason: "test",
        filterChains: [
          {
            name: "http.80",
            serverNames: [],
            tls: null,
            routeConfig: "http.80",
            forward: null,
            statPrefix: null,
            gateway: { namespace: "default", name: "gateway" },
          },
        ],
      },
    ],
    routeConfigs: [
      {
        name: "http.80",
        port: 80,
        legacyName: "http.80",
        virtualHosts: [
          {
            name: "a.example:80",
            domains: ["a.example"],
            requireTls: false,
            routes: [
              {
                name: "all",
                virtualService: ref,
                rule: { http: 0, match: -1 },
                match: { path: { kind: "prefix", value: "/", ignoreCase: false }, headers: [], queryParams: [] },
                action: forwardTo([{ cluster: "c", weight: 1 }]),
                policy: null,
                operation: "c",
              },
            ],
          },
        ],
      },
    ],
    clusters: [
      {
        ...plainTransport,
        limits: defaultClusterLimits,
        name: "c",
        host: "c",
        port: 80,
        subset: "",
        discovery: "EDS",
        connectTimeoutMs: 1000,
        endpoints: [plainEndpoint("127.0.0.1", port)],
      },
    ],
    secrets: [],
  };
  const recorder = { record: () => finished++ };
  clusters.apply(table.clusters);
  const proxy = new Proxy({
    table: buildRuntimeTable({ version: "1", table, previous: null, recorderOf: () => recorder }),
    clusters,
    accessLog: new AccessLog({ path: "off", format: "text" }),
    httpsAuthority: (authority) => authority,
    streamIdleTimeoutSeconds: 0,
    requestTimeoutMs: limits.requestTimeoutMs ?? 0,
    maxBodyBytes: limits.maxBodyBytes ?? 0,
  });
  proxies.push(proxy);
  return proxy;
}

const isFinished = async (proxy: Proxy): Promise<void> => {
  while (proxy.activeCount > 0) await new Promise((resolve) => setTimeout(resolve, 5));
};

test("a request that takes longer than it may gets 504, once", async () => {
  const proxy = proxyWith({ requestTimeoutMs: 30 });
  const exchange = new FakeExchange({}, {}, proxy);
  proxy.onRequest(exchange);
  await isFinished(proxy);
  expect(exchange).toMatchObject({ status: 504, failure: "upstream_timeout", isEnded: true });
  expect(finished).toBe(1);
});

test("a gRPC request gets DEADLINE_EXCEEDED when its own time is up", async () => {
  const proxy = proxyWith({});
  const headers = ["content-type", "application/grpc", "grpc-timeout", "30m"];
  const exchange = new FakeExchange({ method: "POST", protocol: "HTTP/2", bodyLength: -1, headers }, {}, proxy);
  proxy.onRequest(exchange);
  await isFinished(proxy);
  expect(exchange.sent[0]?.status).toBe(200);
  expect(exchange.sent[0]?.headers.slice(0, 4)).toEqual(["content-type", "application/grpc", "grpc-status", "4"]);
});

test("a body announced as longer than it may be is refused before anything is sent", () => {
  const proxy = proxyWith({ maxBodyBytes: 10 });
  const exchange = new FakeExchange({ method: "POST", bodyLength: 11 }, {}, proxy);
  proxy.onRequest(exchange);
  expect(exchange).toMatchObject({ status: 413, failure: "body_too_large", upstream: null, isDone: true });
});

test("a body that turns out longer than it may be is refused, and its upstream let go", async () => {
  const proxy = proxyWith({ maxBodyBytes: 10 });
  const exchange = new FakeExchange({ method: "POST", bodyLength: -1 }, {}, proxy);
  proxy.onRequest(exchange);
  proxy.onRequestData(exchange, Buffer.alloc(10));
  expect(exchange.status).toBe(0);
  proxy.onRequestData(exchange, Buffer.alloc(1));
  expect(exchange).toMatchObject({ status: 413, failure: "body_too_large" });
  proxy.onRequestData(exchange, Buffer.alloc(100));
  proxy.onRequestEnd(exchange, []);
  expect(finished).toBe(1);
});

test("a body of just the limit passes", () => {
  const proxy = proxyWith({ maxBodyBytes: 10 });
  const exchange = new FakeExchange({ method: "POST", bodyLength: 10 }, {}, proxy);
  proxy.onRequest(exchange);
  proxy.onRequestData(exchange, Buffer.alloc(10));
  expect(exchange.failure).toBe(null);
  proxy.onDownstreamAborted(exchange);
});

test("over HTTP/2 a tunnel is not taken for open because the upstream answered 200", () => {
  const proxy = proxyWith({});
  const exchange = new FakeExchange({ protocol: "HTTP/2", upgrade: "websocket" }, {}, proxy);
  proxy.onRequest(exchange);
  proxy.onUpstreamHead(exchange, 200, [], 0);
  expect(exchange).toMatchObject({ status: 502, failure: "upstream_protocol_error" });
});
