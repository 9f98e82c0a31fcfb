import { describe, expect, test } from "vitest";
import { buildUpstreamHead } from "../../src/proxy/request-head.ts";
import { FakeExchange, headerObject } from "../support/fake-exchange.ts";

function upstream(exchange: FakeExchange): { line: string; headers: Record<string, string> } {
  const head = buildUpstreamHead(
    exchange,
    "x-envoy-decorator-operation: httpbin.default.svc.cluster.local:8000/status*\r\n",
  );
  expect(head.endsWith("\r\n\r\n")).toBe(true);
  const [line = "", ...rest] = head.slice(0, -4).split("\r\n");
  return { line, headers: headerObject(rest) };
}

const inside = { remoteAddress: "10.1.2.3" };

test.each(["100-continue", "foo"])("Expect: %s is not passed on: the client's expectation ends here", (value) => {
  expect(upstream(new FakeExchange({ headers: ["expect", value] })).headers).not.toHaveProperty("expect");
});

describe("headers only the gateway may set", () => {
  test("a client's x-forwarded-client-cert, x-forwarded-proto and x-envoy headers never pass", () => {
    const { headers } = upstream(
      new FakeExchange({
        headers: [
          "x-forwarded-client-cert",
          "Hash=forged",
          "x-forwarded-proto",
          "https",
          "x-envoy-retry-on",
          "5xx",
          "x-envoy-internal",
          "true",
          "x-envoy-decorator-operation",
          "forged",
        ],
      }),
    );
    expect(headers).not.toHaveProperty("x-forwarded-client-cert");
    expect(headers).not.toHaveProperty("x-envoy-retry-on");
    expect(headers).not.toHaveProperty("x-envoy-internal");
    expect(headers["x-forwarded-proto"]).toBe("http");
    expect(headers["x-envoy-decorator-operation"]).toBe("httpbin.default.svc.cluster.local:8000/status*");
  });

  test("nor do they pass with underscores, which some backends read as dashes; a client's own do", () => {
    const { headers } = upstream(
      new FakeExchange({
        headers: [
          "x_forwarded_client_cert",
          "a",
          "x-forwarded_for",
          "b",
          "x_envoy_internal",
          "c",
          "x_request_id",
          "d",
          "x_mine",
          "e",
        ],
      }),
    );
    expect(Object.keys(headers).filter((name) => name.includes("_"))).toEqual(["x_mine"]);
  });

  test("x-forwarded-for keeps what came and ends with the peer's address", () => {
    const { headers } = upstream(
      new FakeExchange({ headers: ["x-forwarded-for", "1.1.1.1", "x-forwarded-for", "2.2.2.2"] }),
    );
    expect(headers["x-forwarded-for"]).toBe("1.1.1.1,2.2.2.2,203.0.113.9");
    expect(headers["x-envoy-external-address"]).toBe("203.0.113.9");
  });

  test("a client certificate is described by the gateway, with its names encoded", () => {
    const peerCertificate = {
      fingerprint: "ab12",
      subject: 'CN=a"b',
      pem: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
      dnsNames: ["is5.istio.local"],
      uris: ["spiffe://x/ns/a;By=forged"],
    };
    const { headers } = upstream(new FakeExchange({}, { peerCertificate, scheme: "https" }));
    const value = headers["x-forwarded-client-cert"] ?? "";
    expect(value).toContain('Hash=ab12;Cert="-----BEGIN%20CERTIFICATE-----%0AAA%3D%3D');
    expect(value).toContain('Subject="CN=a\\"b"');
    expect(value).toContain("URI=spiffe://x/ns/a%3BBy=forged;DNS=is5.istio.local");
  });
});

describe("hop-by-hop headers", () => {
  test("they and those that Connection names stay behind", () => {
    const { headers } = upstream(
      new FakeExchange({
        headers: [
          "connection",
          "close, X-Hop",
          "x-hop",
          "1",
          "keep-alive",
          "timeout=5",
          "te",
          "deflate",
          "upgrade",
          "h2c",
          "proxy-connection",
          "keep-alive",
          "trailer",
          "x-sum",
          "accept",
          "*/*",
        ],
      }),
    );
    expect(Object.keys(headers).filter((name) => !name.startsWith("x-") && name !== "traceparent")).toEqual([
      "host",
      "accept",
    ]);
    expect(headers).not.toHaveProperty("x-hop");
  });

  test("Connection cannot take away what the gateway says", () => {
    const { headers } = upstream(new FakeExchange({ headers: ["connection", "x-forwarded-for, x-request-id, host"] }));
    expect(headers["x-forwarded-for"]).toBe("203.0.113.9");
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers["host"]).toBe("a.example");
  });

  test("framing is made anew from what was read", () => {
    expect(
      upstream(new FakeExchange({ method: "POST", bodyLength: 5, headers: ["content-length", "5"] })).headers,
    ).toMatchObject({
      "content-length": "5",
    });
    const chunked = upstream(
      new FakeExchange({ method: "POST", bodyLength: -1, headers: ["transfer-encoding", "chunked"] }),
    );
    expect(chunked.headers["transfer-encoding"]).toBe("chunked");
    expect(chunked.headers).not.toHaveProperty("content-length");
    const empty = upstream(new FakeExchange({ method: "POST", bodyLength: 0, headers: ["content-length", "0"] }));
    expect(empty.headers["content-length"]).toBe("0");
  });
});

describe("request id and trace", () => {
  test("the id of an inside client is kept, that of an outside client replaced", () => {
    const headers = ["x-request-id", "mine"];
    const kept = new FakeExchange({ headers }, inside);
    expect(upstream(kept).headers["x-request-id"]).toBe("mine");
    expect(kept.requestId).toBe("mine");
    expect(upstream(new FakeExchange({ headers })).headers["x-request-id"]).not.toBe("mine");
  });

  test("behind another proxy an inside peer is external, as in Envoy: the id it sends is another client's", () => {
    const { headers } = upstream(
      new FakeExchange({ headers: ["x-request-id", "mine", "x-forwarded-for", "203.0.113.7"] }, inside),
    );
    expect(headers["x-request-id"]).not.toBe("mine");
    expect(headers["x-envoy-external-address"]).toBe("10.1.2.3");
    expect(headers).not.toHaveProperty("x-envoy-internal");
  });

  test("a request without trace starts one, with equal trace and span id as Envoy's root span", () => {
    const { headers } = upstream(new FakeExchange());
    expect(headers["x-b3-traceid"]).toMatch(/^[0-9a-f]{16}$/);
    expect(headers["x-b3-spanid"]).toBe(headers["x-b3-traceid"]);
    expect(headers["x-b3-sampled"]).toBe("1");
    expect(headers["traceparent"]).toBe(
      `00-${headers["x-b3-traceid"]?.padStart(32, "0")}-${headers["x-b3-spanid"]}-01`,
    );
  });

  test("a B3 trace goes on with the client's span as parent", () => {
    const { headers } = upstream(
      new FakeExchange({
        headers: ["x-b3-traceid", "a".repeat(32), "x-b3-spanid", "b".repeat(16), "x-b3-sampled", "0"],
      }),
    );
    expect(headers).toMatchObject({
      "x-b3-traceid": "a".repeat(32),
      "x-b3-parentspanid": "b".repeat(16),
      "x-b3-sampled": "0",
    });
    expect(headers["traceparent"]).toMatch(/-00$/);
  });

  test("a W3C trace goes on; a malformed one is not passed", () => {
    const parent = `00-${"c".repeat(32)}-${"d".repeat(16)}-01`;
    const { headers } = upstream(new FakeExchange({ headers: ["traceparent", parent] }));
    expect(headers["traceparent"]).toMatch(new RegExp(`^00-${"c".repeat(32)}-(?!${"d".repeat(16)})[0-9a-f]{16}-01$`));
    expect(headers["x-b3-parentspanid"]).toBe("d".repeat(16));
    const malformed = upstream(new FakeExchange({ headers: ["traceparent", "00-short"] }));
    expect(malformed.headers["traceparent"]).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});

test("the request line carries the normalised path and the query as sent", () => {
  expect(upstream(new FakeExchange({ target: "/status/418?a=1&b" })).line).toBe("GET /status/418?a=1&b HTTP/1.1");
});

describe("trailers and upgrades", () => {
  test.each(["trailers", "deflate;q=0.5, Trailers"])("te: %s tells the upstream that trailers arrive", (te) => {
    expect(upstream(new FakeExchange({ headers: ["connection", "TE", "te", te] })).headers["te"]).toBe("trailers");
  });

  const upgrade = {
    upgrade: "websocket",
    headers: ["sec-websocket-key", "client's", "sec-websocket-protocol", "chat"],
  };

  test("an upgrade of HTTP/1.1 is asked for with the client's key", () => {
    const { line, headers } = upstream(new FakeExchange(upgrade));
    expect(line).toBe("GET / HTTP/1.1");
    expect(headers).toMatchObject({
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-key": "client's",
      "sec-websocket-protocol": "chat",
    });
  });

  test("an extended CONNECT becomes a GET with a key of the gateway's own", () => {
    const { line, headers } = upstream(
      new FakeExchange({ ...upgrade, method: "CONNECT", protocol: "HTTP/2", bodyLength: -1 }),
    );
    expect(line).toBe("GET / HTTP/1.1");
    expect(headers["sec-websocket-key"]).toMatch(/^[A-Za-z0-9+/]{22}==$/);
    expect(headers["sec-websocket-protocol"]).toBe("chat");
    expect(headers).not.toHaveProperty("transfer-encoding");
  });
});
