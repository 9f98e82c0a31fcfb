import { expect, test } from "vitest";
import { exchangeFlags, flagText } from "../../src/exchange/flags.ts";
import { accessLogEntry, formatText } from "../../src/observe/access-log-entry.ts";
import { FakeExchange } from "../support/fake-exchange.ts";

test("the line has Istio's fields in Istio's order", () => {
  const exchange = new FakeExchange(
    { target: "/status/418?x=1", headers: ["user-agent", "curl/8"] },
    { sni: "a.example" },
  );
  exchange.status = 418;
  exchange.requestId = "id-1";
  exchange.cluster = "outbound|8000||httpbin.default.svc.cluster.local";
  exchange.upstreamStartedAt = 10;
  exchange.upstreamRespondedAt = 17.4;
  exchange.bytesSent = 135;
  exchange.selection = { virtualHost: "a.example:80", routeName: "teapot", recorder: { record() {} } };
  const line = formatText({ ...accessLogEntry(exchange), start_time: "2026-01-02T03:04:05.678Z", duration: 9 });
  expect(line).toBe(
    '[2026-01-02T03:04:05.678Z] "GET /status/418?x=1 HTTP/1.1" 418 - direct_response - "-" 0 135 9 7 "203.0.113.9" "curl/8" ' +
      '"id-1" "a.example" "-" outbound|8000||httpbin.default.svc.cluster.local - 127.0.0.1:8080 203.0.113.9:40000 a.example teapot\n',
  );
});

test("a client can neither end a field nor a line nor send a terminal escape", () => {
  const exchange = new FakeExchange({ headers: ["user-agent", 'a" 200 -\u001b[2J\n[forged]\\'] });
  const line = formatText(accessLogEntry(exchange));
  expect(line.split("\n")).toHaveLength(2);
  expect(line).toContain('"a\\x22 200 -\\x1b[2J\\x0a[forged]\\x5c"');
});

test("a failure shows with Envoy's flag and details", () => {
  const exchange = new FakeExchange();
  exchange.failure = "no_healthy_upstream";
  exchange.status = 503;
  expect(accessLogEntry(exchange)).toMatchObject({
    response_flags: "UH",
    response_code_details: "no_healthy_upstream",
  });
});

test.each([
  ["-", 0, "-"],
  ["UF", 0, "UF"],
  ["-", exchangeFlags.retryLimitExceeded, "URX"],
  ["UF", exchangeFlags.retryLimitExceeded, "UF,URX"],
  ["-", exchangeFlags.delayInjected, "DI"],
  ["FI", exchangeFlags.delayInjected, "DI,FI"],
  ["UO", exchangeFlags.upstreamOverflow, "UO"],
  ["UF", exchangeFlags.upstreamOverflow | exchangeFlags.delayInjected, "UF,UO,DI"],
])("the flags %s and %i are logged as %s", (failure, flags, expected) => {
  expect(flagText(failure, flags)).toBe(expected);
});
