// What gRPC clients get from Sluice itself: how they are known, what failures look like to them, how their deadlines are read.
import { describe, expect, test } from "vitest";
import { failures } from "../../src/exchange/failure.ts";
import { grpcStatusOf, isGrpcType, parseGrpcTimeout } from "../../src/exchange/grpc.ts";
import { sendFailure } from "../../src/proxy/local-response.ts";
import { allowedTimeMs } from "../../src/proxy/request-deadline.ts";
import { FakeExchange } from "../support/fake-exchange.ts";

function grpcExchange(headers: string[] = [], type = "application/grpc"): FakeExchange {
  return new FakeExchange({
    method: "POST",
    protocol: "HTTP/2",
    bodyLength: -1,
    headers: ["content-type", type, ...headers],
  });
}

test.each([
  ["application/grpc", true],
  ["application/grpc+proto", true],
  ["application/grpc; charset=utf-8", true],
  ["application/grpc-web", false],
  ["application/grpc-web+proto", false],
  ["application/json", false],
  [undefined, false],
])("content type %s is gRPC: %s", (type, expected) => {
  expect(isGrpcType(type)).toBe(expected);
});

test("HTTP statuses become Envoy's codes", () => {
  const codes = [400, 401, 403, 404, 429, 502, 503, 504, 413, 421, 426, 431, 501].map(grpcStatusOf);
  expect(codes).toEqual([13, 16, 7, 12, 14, 14, 14, 14, 2, 2, 2, 2, 2]);
});

test("a failure is a Trailers-Only response", () => {
  const exchange = grpcExchange();
  sendFailure(exchange, "no_healthy_upstream");
  expect(exchange.sent).toEqual([
    {
      status: 200,
      bodyLength: 0,
      headers: [
        "content-type",
        "application/grpc",
        "grpc-status",
        "14",
        "grpc-message",
        "no_healthy_upstream",
        "server",
        "sluice",
      ],
    },
  ]);
  expect(exchange).toMatchObject({ isEnded: true, status: 200, failure: "no_healthy_upstream" });
});

test("running out of time is DEADLINE_EXCEEDED", () => {
  expect(failures.upstream_timeout.grpcStatus).toBe(4);
});

test("once the response has begun the stream is reset", () => {
  const exchange = grpcExchange();
  exchange.isResponseStarted = true;
  sendFailure(exchange, "upstream_reset_midway");
  expect(exchange).toMatchObject({ sent: [], isReset: true });
});

test("gRPC-Web clients get HTTP statuses", () => {
  const exchange = grpcExchange([], "application/grpc-web");
  sendFailure(exchange, "no_healthy_upstream");
  expect(exchange.sent[0]?.status).toBe(503);
});

describe("grpc-timeout", () => {
  test.each([
    ["1H", 3_600_000],
    ["2M", 120_000],
    ["3S", 3000],
    ["100m", 100],
    ["1500u", 2],
    ["1n", 1],
    ["0S", 0],
    ["99999999H", 359_999_996_400_000],
  ])("%s are %i ms", (text, expected) => {
    expect(parseGrpcTimeout(text)).toBe(expected);
  });

  test.each(["", "1", "S", "-1S", "1.5S", "100000000S", "1s", "1 S", "0x1S"])("%j is malformed", (text) => {
    expect(parseGrpcTimeout(text)).toBe(null);
  });

  test("bounds the request, and the operator's limit bounds it further", () => {
    expect(allowedTimeMs(grpcExchange(["grpc-timeout", "2S"]), 0)).toBe(2000);
    expect(allowedTimeMs(grpcExchange(["grpc-timeout", "2S"]), 1000)).toBe(1000);
    expect(allowedTimeMs(grpcExchange(["grpc-timeout", "2S"]), 5000)).toBe(2000);
    expect(allowedTimeMs(grpcExchange(["grpc-timeout", "junk"]), 0)).toBe(-1);
    expect(allowedTimeMs(grpcExchange(["grpc-timeout", "99999999H"]), 0)).toBe(-1);
    expect(allowedTimeMs(grpcExchange(), 0)).toBe(-1);
  });

  test("of a request that is no gRPC means nothing, and a tunnel has no deadline", () => {
    expect(allowedTimeMs(new FakeExchange({ headers: ["grpc-timeout", "1S"] }), 0)).toBe(-1);
    expect(allowedTimeMs(new FakeExchange({ upgrade: "websocket" }), 1000)).toBe(-1);
  });
});
