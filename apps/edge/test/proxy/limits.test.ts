// Limits that the proxy itself keeps: how long an exchange may take in all, how much a client may send, and what counts as an accepted tunnel.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Proxy } from "../../src/proxy/proxy.ts";
import { FakeExchange } from "../support/fake-exchange.ts";
import { ProxyWorld, ScriptedUpstream, type WorldOptions } from "./proxy-world.ts";

let upstream: ScriptedUpstream;
let world: ProxyWorld;

beforeEach(async () => {
  upstream = await new ScriptedUpstream().listen();
});

afterEach(() => {
  world.close();
  upstream.close();
});

function proxyWith(limits: Partial<WorldOptions>): Proxy {
  world = new ProxyWorld({ ...limits, clusters: { c: [upstream.port] } });
  return world.proxy;
}

test("a request that takes longer than it may gets 504, once", async () => {
  const proxy = proxyWith({ requestTimeoutMs: 30 });
  const exchange = new FakeExchange({}, {}, proxy);
  proxy.onRequest(exchange);
  await world.settled();
  expect(exchange).toMatchObject({ status: 504, failure: "upstream_timeout", isEnded: true });
  expect(world.finished).toBe(1);
});

test("a gRPC request gets DEADLINE_EXCEEDED when its own time is up", async () => {
  const proxy = proxyWith({});
  const headers = ["content-type", "application/grpc", "grpc-timeout", "30m"];
  const exchange = new FakeExchange({ method: "POST", protocol: "HTTP/2", bodyLength: -1, headers }, {}, proxy);
  proxy.onRequest(exchange);
  await world.settled();
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
  expect(world.finished).toBe(1);
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
