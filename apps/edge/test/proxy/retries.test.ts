// Retries as the upstream sees them: what is sent again, how often, with which body, and when no more.
import { defaultRetryPolicy, forwardTo, type RetryPolicy } from "@sluice/core/model";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exchangeFlags } from "../../src/exchange/flags.ts";
import { isWhole, ProxyWorld, response, ScriptedUpstream, until, type WorldOptions } from "./proxy-world.ts";

let upstream: ScriptedUpstream;
const worlds: ProxyWorld[] = [];

beforeEach(async () => {
  upstream = await new ScriptedUpstream().listen();
});

afterEach(() => {
  for (const world of worlds.splice(0)) world.close();
  upstream.close();
});

function retrying(retry: Partial<RetryPolicy>, options: Partial<WorldOptions> = {}, timeoutMs = 0): ProxyWorld {
  const clusters = { c: [upstream.port] };
  const policy = { ...defaultRetryPolicy, ...retry };
  const action = { ...forwardTo([{ cluster: "c", weight: 1 }]), retry: policy, timeoutMs };
  const world = new ProxyWorld({ clusters, action, ...options });
  worlds.push(world);
  return world;
}

const attemptsSeen = (): (string | undefined)[] =>
  upstream.received.map((text) => /x-envoy-attempt-count: (\d+)/.exec(text)?.[1]);

test("an answer that is retried never reaches the client, the next one does", async () => {
  upstream.script = (received, socket, attempt) => {
    if (isWhole(received)) socket.write(attempt < 3 ? response(503, "busy") : response(200, "fine"));
  };
  const world = retrying({ conditions: ["5xx"] });
  const exchange = world.request();
  await world.settled();
  expect(exchange).toMatchObject({ status: 200, body: "fine", flags: 0, failure: null });
  expect(exchange.sent.length).toBe(1);
  expect(attemptsSeen()).toEqual(["1", "2", "3"]);
  const ids = upstream.received.map((text) => /x-request-id: (\S+)/.exec(text)?.[1]);
  expect(new Set(ids).size).toBe(1);
});

test("when the attempts are used up the last answer is the client's, and the log says why", async () => {
  upstream.script = (received, socket) => {
    if (isWhole(received)) socket.write(response(503, "busy"));
  };
  const world = retrying({ conditions: ["5xx"], attempts: 2 });
  const exchange = world.request();
  await world.settled();
  expect(exchange).toMatchObject({ status: 503, body: "busy", flags: exchangeFlags.retryLimitExceeded });
  expect(upstream.received.length).toBe(3);
  expect(world.count("sluice_upstream_retries_given_up_total", "limit")).toBe(1);
  expect(world.finished).toBe(1);
});

test("the default policy retries neither a 503 nor a reset, with whatever method", async () => {
  upstream.script = (received, socket) => {
    if (received.startsWith("GET /reset")) socket.destroy();
    else if (isWhole(received)) socket.write(response(503));
  };
  const world = retrying({});
  const [answered, reset] = [world.request(), world.request({ target: "/reset" })];
  await world.settled();
  expect([answered.status, reset.status, reset.failure]).toEqual([503, 503, "upstream_reset"]);
  expect(upstream.received.length).toBe(2);
});

test("a refused connection is retried by default, and another endpoint takes the request with its body", async () => {
  const closed = await new ScriptedUpstream().listen();
  const dead = closed.port;
  closed.close();
  upstream.script = (received, socket) => {
    if (isWhole(received, "hello")) socket.write(response(200));
  };
  // The draws choose the dead endpoint first, then the live one.
  let draws = 0;
  const world = retrying({}, { clusters: { c: [dead, upstream.port] } });
  const cluster = world.clusters.get("c");
  const choose = cluster?.choose.bind(cluster);
  if (cluster === null || choose === undefined) throw new Error("no cluster");
  const tried: number[] = [];
  cluster.choose = (...question) => {
    tried.push(question[1]?.length ?? 0);
    let chosen = choose(...question);
    const wanted = `127.0.0.1:${draws++ === 0 ? dead : upstream.port}`;
    while (chosen?.address !== wanted) chosen = choose(...question);
    return chosen;
  };
  const exchange = world.request({ method: "POST", bodyLength: 5 });
  world.proxy.onRequestData(exchange, Buffer.from("hello"));
  exchange.isRequestComplete = false;
  world.proxy.onRequestEnd(exchange, []);
  await world.settled();
  expect(exchange).toMatchObject({ status: 200, failure: null, isBodyPaused: false });
  expect(upstream.received[0]).toMatch(/hello$/);
  expect(tried).toEqual([0, 1]);
});

test("with retryRemoteLocalities the cluster is told whose localities to leave", async () => {
  upstream.script = (received, socket) => {
    if (isWhole(received)) socket.write(response(503));
  };
  const world = retrying({ conditions: ["5xx"], attempts: 3, backoffBaseMs: 1, triesRemoteLocalities: true });
  const cluster = world.clusters.get("c");
  const choose = cluster?.choose.bind(cluster);
  if (cluster === null || choose === undefined) throw new Error("no cluster");
  const left: number[] = [];
  cluster.choose = (...question) => {
    left.push(question[2]?.length ?? 0);
    return choose(...question);
  };
  world.request();
  await world.settled();
  expect(left).toEqual([0, 1, 2, 3]);
});

describe("the body", () => {
  const failOnce = (end: string) => {
    upstream.script = (received, socket, attempt) => {
      if (isWhole(received, end)) socket.write(attempt === 1 ? response(503) : response(200));
    };
  };

  test("of every attempt is the whole one, in whatever pieces it came", async () => {
    failOnce("0\r\n\r\n");
    const world = retrying({ conditions: ["5xx"] });
    const exchange = world.request({ method: "POST", bodyLength: -1 });
    for (const piece of ["one", "two", "three"]) world.proxy.onRequestData(exchange, Buffer.from(piece));
    world.proxy.onRequestEnd(exchange, []);
    await world.settled();
    expect(exchange.status).toBe(200);
    const bodies = upstream.received.map((text) => {
      const lines = text.slice(text.indexOf("\r\n\r\n") + 4).split("\r\n");
      return lines.filter((_, index) => index % 2 === 1).join("");
    });
    expect(bodies).toEqual(["onetwothree", "onetwothree"]);
  });

  test("that is still coming goes on with the next attempt, which begins with what there was", async () => {
    upstream.script = (received, socket, attempt) => {
      if (attempt === 1 && isWhole(received, "first")) socket.write(response(503));
      if (attempt === 2 && isWhole(received, "firstlast")) socket.write(response(200));
    };
    const world = retrying({ conditions: ["5xx"], backoffBaseMs: 20 }, { random: () => 0.99 });
    const exchange = world.request({ method: "POST", bodyLength: 9 });
    world.proxy.onRequestData(exchange, Buffer.from("first"));
    await until(() => exchange.isBodyPaused);
    // Was under way when the client was stopped.
    world.proxy.onRequestData(exchange, Buffer.from("la"));
    await until(() => !exchange.isBodyPaused);
    world.proxy.onRequestData(exchange, Buffer.from("st"));
    world.proxy.onRequestEnd(exchange, []);
    await world.settled();
    expect(exchange.status).toBe(200);
  });

  test("that is too long to be kept is sent once", async () => {
    failOnce("b".repeat(10));
    const world = retrying({ conditions: ["5xx"] }, { retryBufferBytes: 100 });
    const exchange = world.request({ method: "POST", bodyLength: 210 });
    world.proxy.onRequestData(exchange, Buffer.from("a".repeat(200)));
    world.proxy.onRequestData(exchange, Buffer.from("b".repeat(10)));
    world.proxy.onRequestEnd(exchange, []);
    await world.settled();
    expect(exchange).toMatchObject({ status: 503, flags: 0 });
    expect(upstream.received.length).toBe(1);
    expect(world.count("sluice_upstream_retries_given_up_total", "body")).toBe(1);
  });

  test("of exactly the limit is sent again", async () => {
    failOnce("a".repeat(100));
    const world = retrying({ conditions: ["5xx"] }, { retryBufferBytes: 100 });
    const exchange = world.request({ method: "POST", bodyLength: 100 });
    world.proxy.onRequestData(exchange, Buffer.from("a".repeat(100)));
    world.proxy.onRequestEnd(exchange, []);
    await world.settled();
    expect(exchange.status).toBe(200);
  });
});

test("bodies kept by all requests are bounded together, and give back what they took", async () => {
  upstream.script = (received, socket) => {
    if (isWhole(received, "a".repeat(100))) socket.write(response(503));
  };
  const world = retrying({ conditions: ["5xx"], attempts: 1 }, { retryBufferTotalBytes: 250 });
  const post = () => {
    const exchange = world.request({ method: "POST", bodyLength: 100 });
    world.proxy.onRequestData(exchange, Buffer.from("a".repeat(100)));
    world.proxy.onRequestEnd(exchange, []);
    return exchange;
  };
  const crowd = [post(), post(), post()];
  await world.settled();
  expect(crowd.map(({ flags }) => flags)).toEqual([
    exchangeFlags.retryLimitExceeded,
    exchangeFlags.retryLimitExceeded,
    0,
  ]);
  const again = [post(), post()];
  await world.settled();
  expect(again.map(({ flags }) => flags)).toEqual([exchangeFlags.retryLimitExceeded, exchangeFlags.retryLimitExceeded]);
});

test("a retry stays in the cluster that was drawn", async () => {
  upstream.script = (received, socket) => {
    if (isWhole(received)) socket.write(response(503));
  };
  const other = await new ScriptedUpstream().listen();
  const draws = [0, 0, 0.99, 0.99, 0.99];
  const destinations = ["c", "other"].map((cluster) => ({ cluster, weight: 1 }));
  const retry = { ...defaultRetryPolicy, conditions: ["5xx"], backoffBaseMs: 1 };
  const world = retrying(
    {},
    {
      action: { ...forwardTo(destinations), retry },
      clusters: { c: [upstream.port], other: [other.port] },
      random: () => draws.shift() ?? 0.99,
    },
  );
  world.request();
  await world.settled();
  expect([upstream.received.length, other.received.length]).toEqual([3, 0]);
  other.close();
});

describe("time", () => {
  test("an attempt that takes too long is retried where resets are", async () => {
    upstream.script = (received, socket, attempt) => {
      if (isWhole(received) && attempt === 2) socket.write(response(200));
    };
    const world = retrying({ conditions: ["reset"], perTryTimeoutMs: 20 });
    const exchange = world.request();
    await world.settled();
    expect(exchange).toMatchObject({ status: 200, failure: null });
    expect(upstream.received.length).toBe(2);
  });

  test("and is 504 where they are not, as it is when attempts are used up", async () => {
    const world = retrying({ perTryTimeoutMs: 20 });
    const once = world.request();
    await world.settled();
    expect(once).toMatchObject({ status: 504, failure: "per_try_timeout", flags: 0 });
    const again = retrying({ conditions: ["reset"], perTryTimeoutMs: 20, attempts: 1 });
    const twice = again.request();
    await again.settled();
    expect(twice).toMatchObject({ status: 504, failure: "per_try_timeout", flags: exchangeFlags.retryLimitExceeded });
  });

  test("the time for an attempt ends with its head", async () => {
    upstream.script = (received, socket) => {
      if (!isWhole(received)) return;
      socket.write("HTTP/1.1 200 x\r\ncontent-length: 4\r\n\r\n");
      setTimeout(() => socket.write("late"), 60);
    };
    const world = retrying({ conditions: ["reset"], perTryTimeoutMs: 30 });
    const exchange = world.request();
    await world.settled();
    expect(exchange).toMatchObject({ status: 200, body: "late", isReset: false });
  });

  test("the time for an attempt is one, also behind a delay that held the body", async () => {
    upstream.script = (received, socket) => {
      if (isWhole(received, "hello")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab");
    };
    const fault = { delay: { percentage: 100, durationMs: 5 }, abort: null };
    const world = retrying(
      { conditions: ["reset"], perTryTimeoutMs: 30 },
      { policy: { fault, cors: null, headers: null } },
    );
    const exchange = world.request({ method: "POST", bodyLength: 5 });
    world.proxy.onRequestData(exchange, Buffer.from("hello"));
    world.proxy.onRequestEnd(exchange, []);
    await until(() => exchange.body === "ab");
    await new Promise((resolve) => setTimeout(resolve, 60));
    upstream.sockets[0]?.write("cd");
    await world.settled();
    expect(exchange).toMatchObject({ status: 200, body: "abcd", failure: null });
  });

  test("the route's time covers all attempts and their pauses, and is not retried", async () => {
    upstream.script = (received, socket) => {
      if (isWhole(received)) socket.write(response(503));
    };
    const world = retrying({ conditions: ["5xx"], attempts: 100, backoffBaseMs: 10_000 }, { random: () => 0.99 }, 30);
    const exchange = world.request();
    await world.settled();
    expect(exchange).toMatchObject({ status: 504, failure: "upstream_timeout" });
    expect(upstream.received.length).toBe(1);
  });

  test.each([
    [0, 0, undefined],
    [500, 0, "500"],
    [0, 200, "200"],
    [500, 200, "200"],
    [100, 200, "100"],
  ])("of %i ms for all and %i for each attempt the upstream is told %s", async (timeoutMs, perTryTimeoutMs, told) => {
    upstream.script = (received, socket) => {
      if (isWhole(received)) socket.write(response(200));
    };
    const world = retrying({ perTryTimeoutMs }, {}, timeoutMs);
    world.request({ headers: ["x-envoy-expected-rq-timeout-ms", "1"] });
    await world.settled();
    expect(/x-envoy-expected-rq-timeout-ms: (\d+)/.exec(upstream.received[0] ?? "")?.[1]).toBe(told);
  });

  test("the route's time begins when the request is complete", async () => {
    upstream.script = (received, socket) => {
      if (isWhole(received, "late")) socket.write(response(200));
    };
    const world = retrying({}, {}, 30);
    const exchange = world.request({ method: "POST", bodyLength: 4 });
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(exchange.isDone).toBe(false);
    world.proxy.onRequestData(exchange, Buffer.from("late"));
    world.proxy.onRequestEnd(exchange, []);
    await world.settled();
    expect(exchange.status).toBe(200);
  });

  test("a client that leaves during the back-off ends it", async () => {
    upstream.script = (received, socket) => {
      if (isWhole(received)) socket.write(response(503));
    };
    const world = retrying({ conditions: ["5xx"], backoffBaseMs: 20 }, { random: () => 0.99 });
    const exchange = world.request();
    await until(() => upstream.received.length === 1 && upstream.sockets[0]?.destroyed === true);
    world.proxy.onDownstreamAborted(exchange);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(upstream.received.length).toBe(1);
    expect(exchange).toMatchObject({ failure: "downstream_gone", status: 0 });
  });
});

describe("amplification is bounded", () => {
  test("a hundred failing requests become three hundred, no more", async () => {
    upstream.script = (received, socket) => {
      if (isWhole(received)) socket.destroy();
    };
    const world = retrying({ conditions: ["5xx"], attempts: 2 });
    const exchanges = Array.from({ length: 100 }, () => world.request({ method: "POST" }));
    await world.settled();
    expect(exchanges.every(({ failure }) => failure === "upstream_reset")).toBe(true);
    expect(upstream.received.length).toBe(300);
  });

  test("a cluster that allows no more retries gets none, and each that it allowed is given back", async () => {
    upstream.script = (received, socket) => {
      if (isWhole(received)) socket.write(response(503));
    };
    const world = retrying({ conditions: ["5xx"], attempts: 5 });
    const cluster = world.clusters.get("c");
    if (cluster === null) throw new Error("no cluster");
    let held = 0;
    let allowed = 2;
    cluster.beginRetry = () => {
      if (allowed === 0) return false;
      allowed--;
      held++;
      return true;
    };
    cluster.endRetry = () => {
      held--;
    };
    const exchange = world.request();
    await world.settled();
    expect(exchange).toMatchObject({ status: 503, flags: exchangeFlags.upstreamOverflow });
    expect(upstream.received.length).toBe(3);
    expect(held).toBe(0);
  });

  test.each([
    ["breaks off", "content-length: 10\r\n\r\nhalf", "upstream_reset_midway"],
    ["breaks the rules", "transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n", "upstream_protocol_error"],
  ])("an answer that %s once it has begun is not asked for again", async (_name, rest, failure) => {
    upstream.script = (received, socket) => {
      if (isWhole(received)) socket.write(`HTTP/1.1 200 x\r\n${rest}`, () => socket.end());
    };
    const world = retrying({ conditions: ["5xx", "reset"] });
    const exchange = world.request();
    await world.settled();
    expect(exchange).toMatchObject({ failure, isReset: true });
    expect(upstream.received.length).toBe(1);
  });
});
