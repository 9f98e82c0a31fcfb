// Header operations: Envoy's order, its operators, and that nothing a client, a CA or a table writes becomes another header.
import { hostname } from "node:os";
import type { HeaderOperations as Operations } from "@sluice/core/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HeaderOperations } from "../../src/proxy/header-operations.ts";
import { FakeExchange, headerObject } from "../support/fake-exchange.ts";

const operations = (part: Partial<Operations>): HeaderOperations =>
  new HeaderOperations({ remove: [], set: [], add: [], ...part });

const headOf = (...lines: string[]): string => ["GET /a?b HTTP/1.1", "host: a.example", ...lines, "", ""].join("\r\n");

function linesOf(head: string): string[] {
  expect(head.endsWith("\r\n\r\n")).toBe(true);
  return head.slice(0, -4).split("\r\n").slice(2);
}

describe("on a request", () => {
  test("remove comes first, then set, then add", () => {
    const head = operations({
      remove: ["x-a"],
      set: [
        { name: "x-a", value: "set" },
        { name: "x-b", value: "set" },
      ],
      add: [
        { name: "x-a", value: "added" },
        { name: "x-c", value: "added" },
      ],
    }).applyToHead(headOf("x-a: 1", "x-b: 2", "x-a: 3", "x-c: 4"), new FakeExchange());
    expect(linesOf(head)).toEqual(["x-c: 4", "x-a: set", "x-b: set", "x-a: added", "x-c: added"]);
  });

  test("values quote what came, without what is removed: no operation sees another's", () => {
    const head = operations({
      remove: ["x-c"],
      set: [
        { name: "x-a", value: "%REQ(x-b)%" },
        { name: "x-b", value: "%REQ(x-a)%" },
      ],
      add: [
        { name: "x-d", value: "%REQ(x-a)%" },
        { name: "x-e", value: "%REQ(x-c?x-b)%" },
      ],
    }).applyToHead(headOf("x-a: 1", "x-b: 2", "x-c: 3"), new FakeExchange());
    expect(linesOf(head)).toEqual(["x-a: 2", "x-b: 1", "x-d: 1", "x-e: 2"]);
  });

  test("a name is a whole name, and text in a value is no field", () => {
    const head = operations({ remove: ["a"] }).applyToHead(
      headOf("x-a: 1", "aa: 2", "b: a: 3", "a: 4"),
      new FakeExchange(),
    );
    expect(linesOf(head)).toEqual(["x-a: 1", "aa: 2", "b: a: 3"]);
  });

  test("what has no value is not sent", () => {
    const head = operations({
      set: [
        { name: "x-a", value: "%REQ(x-none)%" },
        { name: "x-b", value: "" },
      ],
      add: [{ name: "x-c", value: "%REQ(x-none)%" }],
    }).applyToHead(headOf("x-a: 1"), new FakeExchange());
    expect(linesOf(head)).toEqual(["x-a: 1"]);
  });

  test.each([
    "connection",
    "content-length",
    "transfer-encoding",
    "host",
    "te",
    "upgrade",
    ":path",
    ":authority",
    "x a",
    "x\r\ny",
    "",
  ])("%j is out of reach", (name) => {
    const untouched = operations({
      remove: [name],
      set: [{ name, value: "1" }],
      add: [{ name, value: "1" }],
    });
    expect(untouched.isEmpty).toBe(true);
    const head = headOf("content-length: 5");
    expect(untouched.applyToHead(head, new FakeExchange())).toBe(head);
  });
});

test("on a response they do the same", () => {
  const headers = ["x-a", "1", "set-cookie", "a", "set-cookie", "b", "x-a", "2"];
  operations({
    remove: ["x-a"],
    set: [
      { name: "x-b", value: "%RESP(set-cookie)%" },
      { name: "server", value: "other" },
    ],
    add: [
      { name: "set-cookie", value: "c" },
      { name: "x-path", value: "%REQ(:path)%" },
    ],
  }).applyToHeaders(headers, new FakeExchange(), headOf());
  expect(headers).toEqual(["set-cookie", "a", "set-cookie", "b", "x-b", "a", "set-cookie", "c", "x-path", "/a?b"]);
});

test("on a response values quote what came as well", () => {
  const headers = ["x-a", "1", "x-b", "2"];
  operations({
    set: [
      { name: "x-a", value: "%RESP(x-b)%" },
      { name: "x-b", value: "%RESP(x-a)%" },
    ],
    add: [{ name: "x-c", value: "%RESP(x-a)%" }],
  }).applyToHeaders(headers, new FakeExchange(), headOf());
  expect(headers).toEqual(["x-a", "2", "x-b", "1", "x-c", "1"]);
});

describe("operators", () => {
  const peerCertificate = {
    fingerprint: "f",
    subject: "CN=alice",
    pem: "",
    dnsNames: [],
    uris: ["spiffe://a", "spiffe://b"],
  };

  function valueOf(value: string, exchange = new FakeExchange({}, { peerCertificate, tlsVersion: "TLSv1.3" })): string {
    const head = operations({ set: [{ name: "x", value }] }).applyToHead(
      headOf("x-user: ann", "x-user: bob"),
      exchange,
    );
    return headerObject(linesOf(head))["x"] ?? "";
  }

  test.each([
    ["%DOWNSTREAM_REMOTE_ADDRESS%", "203.0.113.9:40000"],
    ["%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "203.0.113.9"],
    ["%DOWNSTREAM_REMOTE_PORT%", "40000"],
    ["%DOWNSTREAM_LOCAL_ADDRESS%", "127.0.0.1:8080"],
    ["%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", "127.0.0.1"],
    ["%DOWNSTREAM_LOCAL_PORT%", "8080"],
    ["%DOWNSTREAM_PEER_SUBJECT%", "CN=alice"],
    ["%DOWNSTREAM_PEER_URI_SAN%", "spiffe://a,spiffe://b"],
    ["%DOWNSTREAM_TLS_VERSION%", "TLSv1.3"],
    ["%PROTOCOL%", "HTTP/1.1"],
    ["%HOSTNAME%", hostname()],
    ["%REQ(X-User)%", "ann"],
    ["%REQ(x-none?x-user)%", "ann"],
    ["%REQ(x-none?:authority):3%", "a.e"],
    ["%REQ(:path)% %REQ(:method)% %REQ(:scheme)%", "/a?b GET http"],
    ["100%% of %REQ(x-user):2%", "100% of an"],
    ["plain", "plain"],
  ])("%s is %s", (value, expected) => {
    expect(valueOf(value)).toBe(expected);
  });

  test("START_TIME is when the request's head had arrived", () => {
    const exchange = new FakeExchange();
    expect(valueOf("%START_TIME%", exchange)).toBe(new Date(exchange.startedAtMs).toISOString());
  });

  test("the route and the cluster are those of the request", () => {
    const exchange = new FakeExchange();
    exchange.cluster = "outbound|80||a";
    exchange.selection = { virtualHost: "v", routeName: "shop", recorder: { record: () => undefined } };
    expect(valueOf("%ROUTE_NAME% %UPSTREAM_CLUSTER%", exchange)).toBe("shop outbound|80||a");
  });
});

describe("no injection", () => {
  test("a name in a certificate brings in no line end, not even as a letter whose low byte is one", () => {
    const peerCertificate = {
      fingerprint: "f",
      subject: "CN=a\u010dx-admin: 1\u010a\r\ny: 1",
      pem: "",
      dnsNames: [],
      uris: [],
    };
    const exchange = new FakeExchange({}, { peerCertificate });
    const head = operations({ set: [{ name: "x", value: "%DOWNSTREAM_PEER_SUBJECT%" }] }).applyToHead(
      headOf(),
      exchange,
    );
    expect(linesOf(Buffer.from(head, "latin1").toString("latin1"))).toEqual(["x: CN=a%C4%8Dx-admin: 1%C4%8Ay: 1"]);
  });

  test("nor does the table's own text", () => {
    const head = operations({ set: [{ name: "x", value: "é\u010a\r\ny: 1" }] }).applyToHead(
      headOf(),
      new FakeExchange(),
    );
    expect(linesOf(Buffer.from(head, "latin1").toString("latin1"))).toEqual([
      `x: ${Buffer.from("é\u010a").toString("latin1")}y: 1`,
    ]);
  });

  test("whatever is quoted from anywhere, a head keeps its lines", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(text, text, text, (subject, uri, header) => {
        const peerCertificate = { fingerprint: "", subject, pem: "", dnsNames: [], uris: [uri] };
        const exchange = new FakeExchange({}, { peerCertificate });
        const response = ["x-from", header];
        const value = "%DOWNSTREAM_PEER_SUBJECT%|%DOWNSTREAM_PEER_URI_SAN%|%RESP(x-from)%";
        const both = operations({ set: [{ name: "x", value }] });
        const head = Buffer.from(both.applyToHead(headOf(), exchange), "latin1");
        expect(head.toString("latin1").split(/[\r\n\0]+/).length).toBe(4);
        both.applyToHeaders(response, exchange, headOf());
        // oxlint-disable-next-line no-control-regex
        expect(response[3]).not.toMatch(/[\r\n\0]|[^\0-\xff]/);
      }),
    );
  });
});
