// What routes answer by themselves: redirects, direct responses, preflights, injected faults.
import type { CorsPolicy, PathMatch, RedirectAction } from "@sluice/core/model";
import { describe, expect, test } from "vitest";
import { RuntimeCors } from "../../src/proxy/cors.ts";
import { RuntimeDirectResponse, sendAnswer } from "../../src/proxy/direct-response.ts";
import { drawDelayMs, drawsAbort, sendAbort } from "../../src/proxy/fault.ts";
import { compileOperations } from "../../src/proxy/header-operations.ts";
import { sendFailure } from "../../src/proxy/local-response.ts";
import { RuntimeRedirect } from "../../src/proxy/redirect.ts";
import { FakeExchange } from "../support/fake-exchange.ts";

const any: PathMatch = { kind: "prefix", value: "/", ignoreCase: false };

describe("a redirect", () => {
  const unchanged: RedirectAction = { kind: "redirect", status: 301, scheme: null, host: null, port: null, path: null };

  function locationOf(action: Partial<RedirectAction>, authority: string, target = "/a?b=1", match = any): string {
    return new RuntimeRedirect({ ...unchanged, ...action }, match).locationOf(new FakeExchange({ authority, target }));
  }

  test.each<[Partial<RedirectAction>, string, string]>([
    [{}, "a.example", "http://a.example/a?b=1"],
    [{}, "a.example:8080", "http://a.example:8080/a?b=1"],
    [{ scheme: "https" }, "a.example", "https://a.example/a?b=1"],
    [{ scheme: "https" }, "a.example:80", "https://a.example/a?b=1"],
    [{ scheme: "https" }, "a.example:8080", "https://a.example:8080/a?b=1"],
    [{ scheme: "http" }, "a.example:80", "http://a.example:80/a?b=1"],
    [{ port: 8443 }, "a.example:8080", "http://a.example:8443/a?b=1"],
    [{ scheme: "https", port: 8443 }, "[::1]:80", "https://[::1]:8443/a?b=1"],
    [{ port: 8443 }, "[::1]", "http://[::1]:8443/a?b=1"],
    [{ host: "b.example" }, "a.example:8080", "http://b.example/a?b=1"],
    [{ host: "b.example:81" }, "a.example:8080", "http://b.example:81/a?b=1"],
    [{ host: "b.example", port: 82, scheme: "https" }, "a.example", "https://b.example:82/a?b=1"],
    [{ path: { kind: "full", value: "/new" } }, "a.example", "http://a.example/new?b=1"],
    [{ path: { kind: "full", value: "/new?c=2" } }, "a.example", "http://a.example/new?c=2"],
  ])("%j of %s leads to %s", (action, authority, expected) => {
    expect(locationOf(action, authority)).toBe(expected);
  });

  test("of a prefix keeps what follows it", () => {
    const match: PathMatch = { kind: "prefix", value: "/old", ignoreCase: false };
    const path = { kind: "prefix", value: "/new" } as const;
    expect(locationOf({ path }, "a.example", "/old/x?y", match)).toBe("http://a.example/new/x?y");
    expect(locationOf({ path: { kind: "prefix", value: "/" } }, "a.example", "/old/x", match)).toBe(
      "http://a.example/x",
    );
  });

  test("is sent with its status, without body, with the route's header operations", () => {
    const headers = {
      request: { remove: [], set: [], add: [] },
      response: { remove: [], set: [{ name: "x-from", value: "%REQ(:path)%" }], add: [] },
    };
    const exchange = new FakeExchange({ target: "/a?b" });
    const action = new RuntimeRedirect({ ...unchanged, status: 308 }, any);
    sendAnswer(exchange, { action, responseOperations: compileOperations([headers], "response") });
    expect(exchange.sent[0]).toMatchObject({ status: 308, bodyLength: 0 });
    expect(exchange.responseHeaders).toEqual({ location: "http://a.example/a?b", "x-from": "/a?b", server: "sluice" });
  });
});

describe("a direct response", () => {
  function answerTo(head: ConstructorParameters<typeof FakeExchange>[0], status = 418, set: [string, string][] = []) {
    const exchange = new FakeExchange(head);
    const body = Buffer.from("tea\n100%");
    const none = { remove: [], set: [], add: [] };
    const policy = { request: none, response: { ...none, set: set.map(([name, value]) => ({ name, value })) } };
    const action = new RuntimeDirectResponse({ kind: "direct-response", status, body });
    sendAnswer(exchange, { action, responseOperations: compileOperations([policy], "response") });
    return exchange;
  }

  test("is plain text", () => {
    const exchange = answerTo({});
    expect(exchange.sent[0]).toMatchObject({ status: 418, bodyLength: 8 });
    expect(exchange.responseHeaders).toEqual({ "content-type": "text/plain", server: "sluice" });
    expect(exchange).toMatchObject({ body: "tea\n100%", bytesSent: 8, isEnded: true });
  });

  test("has the content type that the route sets", () => {
    expect(answerTo({}, 200, [["content-type", "text/html"]]).responseHeaders["content-type"]).toBe("text/html");
  });

  test("to HEAD announces its body and sends none", () => {
    const exchange = answerTo({ method: "HEAD" });
    expect(exchange.sent[0]?.bodyLength).toBe(8);
    expect(exchange.body).toBe("");
  });

  test("of 204 has no body", () => {
    const exchange = answerTo({}, 204);
    expect(exchange.sent[0]?.bodyLength).toBe(0);
    expect(exchange).toMatchObject({ body: "", responseHeaders: { server: "sluice" } });
  });

  test("to a gRPC caller is a status with the body for message", () => {
    const exchange = answerTo(
      { method: "POST", protocol: "HTTP/2", headers: ["content-type", "application/grpc"] },
      503,
    );
    expect(exchange.sent[0]).toMatchObject({ status: 200, bodyLength: 0 });
    expect(exchange.responseHeaders).toEqual({
      "content-type": "application/grpc",
      "grpc-status": "14",
      "grpc-message": "tea%0A100%25",
      server: "sluice",
    });
  });

  test("to a gRPC caller is cut to what a head has room for", () => {
    const action = new RuntimeDirectResponse({
      kind: "direct-response",
      status: 503,
      body: Buffer.alloc(900_000, "\n"),
    });
    const exchange = new FakeExchange({ protocol: "HTTP/2", headers: ["content-type", "application/grpc"] });
    sendAnswer(exchange, { action, responseOperations: null });
    expect(exchange.responseHeaders["grpc-message"]?.length).toBe(3 * 2048);
  });
});

describe("CORS", () => {
  const policy: CorsPolicy = {
    allowOrigins: [
      { kind: "exact", value: "https://shop.example" },
      { kind: "regex", value: String.raw`https://[a-z]+\.dev\.example` },
    ],
    allowMethods: "GET,POST",
    allowHeaders: "x-a,x-b",
    exposeHeaders: "x-c",
    maxAgeSeconds: 600,
    allowCredentials: true,
    forwardsUnmatchedPreflights: true,
  };
  const preflight = (origin: string) => ({
    method: "OPTIONS",
    headers: ["origin", origin, "access-control-request-method", "POST"],
  });

  test("a preflight of an allowed origin is answered", () => {
    const exchange = new FakeExchange(preflight("https://shop.example"));
    expect(new RuntimeCors(policy).answers(exchange)).toBe(true);
    expect(exchange.sent[0]).toMatchObject({ status: 200, bodyLength: 0 });
    expect(exchange.responseHeaders).toEqual({
      "access-control-allow-origin": "https://shop.example",
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "GET,POST",
      "access-control-allow-headers": "x-a,x-b",
      "access-control-expose-headers": "x-c",
      "access-control-max-age": "600",
      server: "sluice",
    });
    expect(exchange.responseDetails).toBe("cors_response");
  });

  test("one of another origin goes on, or is answered without a word about it", () => {
    const exchange = new FakeExchange(preflight("https://evil.example"));
    expect(new RuntimeCors(policy).answers(exchange)).toBe(false);
    expect(exchange.responseOverrides).toBe(null);
    const ignored = new FakeExchange(preflight("https://evil.example"));
    expect(new RuntimeCors({ ...policy, forwardsUnmatchedPreflights: false }).answers(ignored)).toBe(true);
    expect(ignored.responseHeaders).toEqual({ server: "sluice" });
  });

  test.each([
    ["OPTIONS without the question", { method: "OPTIONS", headers: ["origin", "https://shop.example"] }],
    ["GET", { headers: ["origin", "https://a.dev.example"] }],
  ])("%s goes on, and its answer says who may read it", (_name, head) => {
    const exchange = new FakeExchange(head);
    expect(new RuntimeCors(policy).answers(exchange)).toBe(false);
    sendFailure(exchange, "no_healthy_upstream");
    expect(exchange.responseHeaders).toEqual({
      server: "sluice",
      "access-control-allow-origin": head.headers[1],
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "x-c",
    });
  });

  test.each(["https://shop.example.evil", "https://shop.example,https://evil.example", "null", ""])(
    "%j is not allowed",
    (origin) => {
      const exchange = new FakeExchange({ headers: ["origin", origin] });
      new RuntimeCors(policy).answers(exchange);
      expect(exchange.responseOverrides).toBe(null);
    },
  );

  test("`*` allows every origin, which is named all the same", () => {
    const exchange = new FakeExchange({ headers: ["origin", "https://any.example"] });
    new RuntimeCors({ ...policy, allowOrigins: [{ kind: "exact", value: "*" }] }).answers(exchange);
    expect(exchange.responseOverrides?.slice(0, 2)).toEqual(["access-control-allow-origin", "https://any.example"]);
  });
});

describe("a fault", () => {
  test("is drawn by its percentage", () => {
    const policy = { delay: { percentage: 25, durationMs: 70 }, abort: null };
    expect([0, 0.2499, 0.25, 0.99].map((drawn) => drawDelayMs(policy, () => drawn))).toEqual([70, 70, 0, 0]);
    const abort = { delay: null, abort: { percentage: 0.1, httpStatus: 500, grpcStatus: null } };
    expect([0, 0.0009, 0.001].map((drawn) => drawsAbort(abort, () => drawn))).toEqual([true, true, false]);
    expect(
      drawsAbort({ delay: null, abort: { percentage: 100, httpStatus: 500, grpcStatus: null } }, () => 0.999999),
    ).toBe(true);
  });

  const http = { percentage: 100, httpStatus: 503, grpcStatus: null };
  const grpc = { percentage: 100, httpStatus: null, grpcStatus: 5 };

  test("of HTTP is a status and Envoy's text, of gRPC a status in its words", () => {
    const plain = new FakeExchange();
    sendAbort(plain, { delay: null, abort: http });
    expect(plain).toMatchObject({ status: 503, body: "fault filter abort", failure: "fault_abort" });
    const mapped = new FakeExchange();
    sendAbort(mapped, { delay: null, abort: grpc });
    expect(mapped.status).toBe(404);
  });

  test.each([
    [http, "14"],
    [grpc, "5"],
  ])("of %j is grpc-status %s to a gRPC caller", (abort, status) => {
    const exchange = new FakeExchange({ protocol: "HTTP/2", headers: ["content-type", "application/grpc"] });
    sendAbort(exchange, { delay: null, abort });
    expect(exchange.sent[0]?.status).toBe(200);
    expect(exchange.responseHeaders).toMatchObject({ "grpc-status": status, "grpc-message": "fault filter abort" });
  });
});
