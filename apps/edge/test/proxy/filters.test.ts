// Filters, rewrites and mirrors in the proxy: what comes before what, and that optional work stays beside the request.
import { forwardTo, type FaultPolicy, type ForwardAction } from "@sluice/core/model";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { accessLogEntry } from "../../src/observe/access-log-entry.ts";
import { RequestShaping } from "../../src/proxy/request-shaping.ts";
import { isWhole, ProxyWorld, response, ScriptedUpstream, until, type WorldOptions } from "./proxy-world.ts";

let upstream: ScriptedUpstream;
const worlds: ProxyWorld[] = [];

beforeEach(async () => {
  upstream = await new ScriptedUpstream().listen();
  upstream.script = (received, socket) => {
    if (isWhole(received) || isWhole(received, "!")) socket.write(response(200, "ok"));
  };
});

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
  upstream.close();
});

function worldOf(options: Partial<WorldOptions>): ProxyWorld {
  const world = new ProxyWorld({ clusters: { c: [upstream.port] }, ...options });
  worlds.push(world);
  return world;
}

const forwarding = (part: Partial<ForwardAction>): ForwardAction => ({
  ...forwardTo([{ cluster: "c", weight: 1 }]),
  ...part,
});

const faulty = (fault: Partial<FaultPolicy>): Partial<WorldOptions> => ({
  policy: { fault: { delay: null, abort: null, ...fault }, cors: null, headers: null },
});

describe("a delay", () => {
  const delay = { percentage: 100, durationMs: 30 };

  test("holds a request and its body back, then lets them go whole", async () => {
    const world = worldOf(faulty({ delay }));
    const exchange = world.request({ method: "POST", bodyLength: 6 });
    expect(exchange.isBodyPaused).toBe(true);
    world.proxy.onRequestData(exchange, Buffer.from("hello"));
    expect(upstream.received).toEqual([]);
    await until(() => !exchange.isBodyPaused);
    world.proxy.onRequestData(exchange, Buffer.from("!"));
    world.proxy.onRequestEnd(exchange, []);
    await world.settled();
    expect(exchange).toMatchObject({ status: 200, body: "ok" });
    expect(upstream.received[0]).toMatch(/hello!$/);
    expect(accessLogEntry(exchange)).toMatchObject({ response_flags: "DI", response_code_details: "via_upstream" });
    expect(world.count("sluice_injected_faults_total", "delay")).toBe(1);
  });

  test("lets a body that was complete go with its end", async () => {
    const world = worldOf(faulty({ delay }));
    const exchange = world.request({ method: "POST", bodyLength: -1 });
    world.proxy.onRequestData(exchange, Buffer.from("!"));
    world.proxy.onRequestEnd(exchange, ["x-sum", "1"]);
    upstream.script = (received, socket) => {
      if (isWhole(received, "0\r\nx-sum: 1\r\n\r\n")) socket.write(response(200, "ok"));
    };
    await world.settled();
    expect(exchange.status).toBe(200);
  });

  test("ends with its client", async () => {
    const world = worldOf(faulty({ delay }));
    const exchange = world.request();
    world.proxy.onDownstreamAborted(exchange);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(upstream.received).toEqual([]);
    expect(world.finished).toBe(1);
  });

  test("counts for the time that a request may take", async () => {
    const world = worldOf({ ...faulty({ delay: { percentage: 100, durationMs: 10_000 } }), requestTimeoutMs: 20 });
    const exchange = world.request();
    await world.settled();
    expect(accessLogEntry(exchange)).toMatchObject({ response_code: 504, response_flags: "UT,DI" });
  });

  test("can be followed by an abort, which is never retried", async () => {
    const abort = { percentage: 100, httpStatus: 503, grpcStatus: null };
    const world = worldOf({ ...faulty({ delay, abort }), action: forwarding({}) });
    const exchange = world.request();
    await world.settled();
    expect(upstream.received).toEqual([]);
    const logged = { response_code: 503, response_flags: "DI,FI", response_code_details: "fault_filter_abort" };
    expect(accessLogEntry(exchange)).toMatchObject(logged);
  });
});

test("faults come before CORS: an aborted preflight is an aborted request", () => {
  const cors = {
    allowOrigins: [{ kind: "prefix", value: "" } as const],
    allowMethods: "",
    allowHeaders: "",
    exposeHeaders: "",
    maxAgeSeconds: null,
    allowCredentials: false,
    forwardsUnmatchedPreflights: true,
  };
  const head = { method: "OPTIONS", headers: ["origin", "https://a.example", "access-control-request-method", "PUT"] };
  const fault = { delay: null, abort: { percentage: 50, httpStatus: 500, grpcStatus: null } };
  const aborting = worldOf({ policy: { fault, cors, headers: null }, random: () => 0.4 }).request(head);
  expect(aborting).toMatchObject({ status: 500, responseOverrides: null });
  const answering = worldOf({ policy: { fault, cors, headers: null }, random: () => 0.6 }).request(head);
  expect(answering.status).toBe(200);
  expect(answering.responseHeaders["access-control-allow-origin"]).toBe("https://a.example");
});

describe("a rewrite", () => {
  const rewriting = (path: string, authority: string | null = null): Partial<WorldOptions> => ({
    action: forwarding({ rewrite: { path: { kind: "prefix", value: path }, authority } }),
  });

  test("sends another path and authority, and says what they were", async () => {
    const world = worldOf(rewriting("/v2/", "b.example:81"));
    world.request({ target: "/a/../b?c" });
    await world.settled();
    const [line = "", host = ""] = (upstream.received[0] ?? "").split("\r\n");
    expect([line, host]).toEqual(["GET /v2/b?c HTTP/1.1", "host: b.example:81"]);
    expect(upstream.received[0]).toContain("\r\nx-envoy-original-path: /b?c\r\n");
    expect(upstream.received[0]).toContain("\r\nx-envoy-original-host: a.example\r\n");
  });

  test("that leads out of where it should is refused before anything is sent", () => {
    const path = { kind: "regex", pattern: "^/-", substitution: "/files/" } as const;
    const world = worldOf({ action: forwarding({ rewrite: { path, authority: null } }) });
    const exchange = world.request({ target: "/-../secret" });
    expect(exchange).toMatchObject({ status: 400, failure: "bad_path" });
    expect(exchange.upstream).toBe(null);
  });

  test("of the authority names the server to connections as well: TLS asks for it, HTTP/2 sends it", () => {
    const shaping = new RequestShaping({ operations: null, authority: "B.example:81", path: null });
    const exchange = worldOf({}).request();
    expect(shaping.originOf(exchange)).toMatchObject({ authority: "B.example:81", host: "b.example", scheme: "http" });
    expect(new RequestShaping({ operations: null, authority: "b\r\nx: 1", path: null }).originOf(exchange)).toBe(
      exchange,
    );
  });

  test("does not let a client forge where it came from", async () => {
    const world = worldOf(rewriting("/v2"));
    world.request({ headers: ["x-envoy-original-path", "/forged"] });
    await world.settled();
    expect(upstream.received[0]).not.toContain("forged");
  });
});

test("a destination's operations come before the route's, on requests and answers", async () => {
  const set = (value: string) => ({
    request: { remove: ["user-agent"], set: [{ name: "x-who", value }], add: [{ name: "x-all", value }] },
    response: {
      remove: ["x-envoy-upstream-service-time"],
      set: [{ name: "x-who", value: `${value} %UPSTREAM_HOST%` }],
      add: [{ name: "x-all", value }],
    },
  });
  const clusters = [{ cluster: "c", weight: 1, headers: set("destination"), authority: null }];
  const world = worldOf({
    action: forwarding({ clusters }),
    policy: { fault: null, cors: null, headers: set("route") },
  });
  const exchange = world.request({ headers: ["user-agent", "curl"] });
  await world.settled();
  const lines = (upstream.received[0] ?? "").split("\r\n").filter((line) => /^(x-who|x-all|user-agent)/.test(line));
  expect(lines).toEqual(["x-all: destination", "x-who: route", "x-all: route"]);
  expect(exchange.responseHeaders).toEqual({
    "x-all": "destination|route",
    "x-who": `route 127.0.0.1:${upstream.port}`,
    server: "sluice",
  });
});

test("the cookie that an endpoint was chosen by goes to the client", async () => {
  const world = worldOf({});
  const cluster = world.clusters.get("c");
  const choose = cluster?.choose.bind(cluster);
  if (cluster === null || choose === undefined) throw new Error("no cluster");
  cluster.choose = (request, ...rest) => {
    if (request !== null && request !== undefined) request.setCookie = "affinity=1; HttpOnly";
    return choose(request, ...rest);
  };
  const exchange = world.request();
  await world.settled();
  expect(exchange.responseHeaders["set-cookie"]).toBe("affinity=1; HttpOnly");
});

describe("a mirror", () => {
  let mirror: ScriptedUpstream;

  beforeEach(async () => {
    mirror = await new ScriptedUpstream().listen();
  });

  afterEach(() => mirror.close());

  function mirroring(percentage = 100, options: Partial<WorldOptions> = {}): ProxyWorld {
    const mirrors = [{ cluster: "m", percentage }];
    const clusters = { c: [upstream.port], m: [mirror.port] };
    return worldOf({ action: forwarding({ mirrors }), clusters, ...options });
  }

  test("gets a copy of head and body, and its answer goes nowhere", async () => {
    mirror.script = (received, socket) => {
      if (isWhole(received, "!")) socket.write(response(500, "mirrored"));
    };
    const world = mirroring();
    const exchange = world.request({ method: "POST", bodyLength: 3, headers: ["x-a", "1"] });
    world.proxy.onRequestData(exchange, Buffer.from("hi"));
    world.proxy.onRequestData(exchange, Buffer.from("!"));
    world.proxy.onRequestEnd(exchange, []);
    await world.settled();
    await until(() => world.count("sluice_mirrored_requests_total", "answered") === 1);
    expect(exchange).toMatchObject({ status: 200, body: "ok" });
    expect(mirror.received).toEqual(upstream.received);
    expect(mirror.received[0]).toContain("x-a: 1");
  });

  test("that says nothing delays nothing, and one that is not there is counted", async () => {
    const world = mirroring();
    const exchange = world.request();
    await world.settled();
    expect(exchange.status).toBe(200);
    const without = mirroring(100, { clusters: { c: [upstream.port] } });
    const alone = without.request();
    await without.settled();
    expect(alone.status).toBe(200);
    expect(without.count("sluice_mirrored_requests_total", "failed")).toBe(1);
  });

  test("gets its percentage", async () => {
    const drawn = mirroring(50, { random: () => 0.5 });
    drawn.request();
    await drawn.settled();
    expect(mirror.received).toEqual([]);
  });

  test("is not sent again when the request is", async () => {
    upstream.script = (received, socket, attempt) => {
      if (isWhole(received)) socket.write(attempt === 1 ? response(503) : response(200));
    };
    mirror.script = (received, socket) => {
      if (isWhole(received)) socket.write(response(503));
    };
    const retry = { ...forwardTo([]).retry, conditions: ["5xx"] } as ForwardAction["retry"];
    const world = mirroring(100, { action: forwarding({ mirrors: [{ cluster: "m", percentage: 100 }], retry }) });
    world.request();
    await world.settled();
    await until(() => world.count("sluice_mirrored_requests_total", "answered") === 1);
    expect([upstream.received.length, mirror.received.length]).toEqual([2, 1]);
    expect(mirror.received[0]).toContain("x-envoy-attempt-count: 1");
  });

  test("that takes nothing costs a bounded amount of memory and never stops the client", async () => {
    const total = 48 * 1024 * 1024;
    let taken = 0;
    upstream.script = () => undefined;
    const world = mirroring();
    const exchange = world.request({ method: "POST", bodyLength: total });
    await until(() => upstream.sockets.length === 1 && mirror.sockets.length === 1);
    mirror.sockets[0]?.pause();
    upstream.sockets[0]
      ?.removeAllListeners("data")
      .on("data", (chunk: Buffer) => (taken += chunk.length))
      .resume();
    const piece = Buffer.alloc(1024 * 1024, "a");
    for (let sent = 0; sent < total; sent += piece.length) {
      world.proxy.onRequestData(exchange, piece);
      await until(() => !exchange.isBodyPaused);
    }
    world.proxy.onRequestEnd(exchange, []);
    await until(() => taken >= total);
    expect(world.count("sluice_mirrored_requests_total", "dropped")).toBe(1);
    world.proxy.onDownstreamAborted(exchange);
  });
});
