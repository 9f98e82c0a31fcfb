// Envoy's retry conditions, each against what it is for and what it is not for.
import { defaultRetryPolicy } from "@sluice/core/model";
import { describe, expect, test } from "vitest";
import type { FailureCode } from "../../src/exchange/failure.ts";
import { failures } from "../../src/exchange/failure.ts";
import { RuntimeRetry } from "../../src/proxy/retry-policy.ts";

const retryOn = (...conditions: string[]): RuntimeRetry =>
  new RuntimeRetry({ ...defaultRetryPolicy, conditions, statusCodes: [418] });

const allCodes = Object.keys(failures) as FailureCode[];
const connecting: FailureCode[] = ["connect_failure", "connect_timeout", "upstream_tls_failure"];
const resets: FailureCode[] = [
  ...connecting,
  "upstream_refused_stream",
  "upstream_reset",
  "upstream_protocol_error",
  "per_try_timeout",
];

test.each<[string, FailureCode[]]>([
  ["5xx", resets],
  ["gateway-error", resets],
  ["reset", resets],
  ["reset-before-request", connecting],
  ["connect-failure", connecting],
  ["refused-stream", ["upstream_refused_stream"]],
  ["retriable-4xx", []],
  ["retriable-status-codes", []],
  ["unavailable", []],
  ["http3-post-connect-failure", []],
  ["toString", []],
])("%s retries these failures", (condition, expected) => {
  expect(allCodes.filter((code) => retryOn(condition).wantsFailure(code)).toSorted()).toEqual(expected.toSorted());
});

const statuses = [200, 204, 302, 400, 404, 409, 418, 429, 500, 501, 502, 503, 504, 599];

test.each([
  ["5xx", [500, 501, 502, 503, 504, 599]],
  ["gateway-error", [502, 503, 504]],
  ["retriable-4xx", [409]],
  ["retriable-status-codes", [418]],
  ["reset", []],
  ["connect-failure", []],
  ["unavailable", []],
])("%s retries the statuses %j", (condition, expected) => {
  expect(statuses.filter((status) => retryOn(condition).wantsResponse(status, [], -1))).toEqual(expected);
});

describe("gRPC", () => {
  const conditions = ["cancelled", "deadline-exceeded", "resource-exhausted", "internal", "unavailable"];

  test.each([
    ["cancelled", "1"],
    ["deadline-exceeded", "4"],
    ["resource-exhausted", "8"],
    ["internal", "13"],
    ["unavailable", "14"],
  ])("%s is grpc-status %s in a head without body, and no other", (condition, status) => {
    const retry = retryOn(condition);
    expect(retry.wantsResponse(200, ["grpc-status", status], 0)).toBe(true);
    expect(retry.wantsResponse(200, ["grpc-status", status], -1)).toBe(false);
    const others = Array.from({ length: 17 }, (_, code) => String(code)).filter((code) => code !== status);
    expect(others.filter((other) => retry.wantsResponse(200, ["grpc-status", other], 0))).toEqual([]);
  });

  test("an answer that is no gRPC has no such status", () => {
    expect(retryOn(...conditions).wantsResponse(200, [], 0)).toBe(false);
  });
});

test("an overloaded upstream is left alone, a rate limited request repeated only where that is said", () => {
  expect(retryOn("5xx").wantsResponse(503, ["x-envoy-overloaded", "true"], 0)).toBe(false);
  expect(retryOn("5xx").wantsResponse(503, ["x-envoy-ratelimited", "true"], 0)).toBe(false);
  expect(retryOn("envoy-ratelimited").wantsResponse(429, ["x-envoy-ratelimited", "true"], 0)).toBe(true);
  expect(retryOn("envoy-ratelimited").wantsResponse(429, [], 0)).toBe(false);
});

test("the body need not outlast the connection where nothing later is retried", () => {
  const ends = (...conditions: string[]) => retryOn(...conditions).endsWithConnection(false, false);
  expect(ends("connect-failure", "refused-stream", "unavailable", "reset-before-request")).toBe(true);
  for (const later of [
    "5xx",
    "gateway-error",
    "reset",
    "retriable-4xx",
    "retriable-status-codes",
    "envoy-ratelimited",
  ]) {
    expect(ends("connect-failure", later)).toBe(false);
  }
  const byDefault = new RuntimeRetry(defaultRetryPolicy);
  expect(byDefault.endsWithConnection(false, false)).toBe(true);
  expect(byDefault.endsWithConnection(true, false)).toBe(false);
  expect(byDefault.endsWithConnection(false, true)).toBe(false);
});

test("back-off doubles with full jitter, to ten times its base at most", () => {
  const retry = new RuntimeRetry({ ...defaultRetryPolicy, backoffBaseMs: 100 });
  const highest = [1, 2, 3, 4, 5, 6, 40].map((attempt) => retry.backoffMs(attempt, () => 0.999999));
  expect(highest).toEqual([99, 199, 399, 799, 999, 999, 999]);
  expect(retry.backoffMs(3, () => 0)).toBe(0);
});
