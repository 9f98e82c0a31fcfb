import { describe, expect, test } from "vitest";
import { parseRequestHead } from "../../src/codec/http1/request-head.ts";
import type { FailureCode } from "../../src/exchange/failure.ts";
import { limits, readWithOurs } from "./read-requests.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const read = (text: string) => readWithOurs([bytes(text)]);
const get = (fields = "", line = "GET / HTTP/1.1") => `${line}\r\nHost: a.example\r\n${fields}\r\n`;

describe("a request head", () => {
  test.each<[string, string, FailureCode]>([
    ["no version", get("", "GET /"), "bad_request"],
    ["two spaces", get("", "GET  / HTTP/1.1"), "bad_request"],
    ["a space behind the version", get("", "GET / HTTP/1.1 "), "bad_request"],
    ["a tab for a space", get("", "GET\t/ HTTP/1.1"), "bad_request"],
    ["a method that is no token", get("", "G(T / HTTP/1.1"), "bad_request"],
    ["no target", get("", "GET  HTTP/1.1"), "bad_request"],
    ["a target of another scheme", get("", "GET ftp://a/ HTTP/1.1"), "bad_request"],
    ["a target without slash", get("", "GET a HTTP/1.1"), "bad_request"],
    ["a target beyond ASCII", get("", "GET /\xe9 HTTP/1.1"), "bad_request"],
    ["* with GET", get("", "GET * HTTP/1.1"), "bad_request"],
    ["an absolute target with a user", get("", "GET http://u@a/ HTTP/1.1"), "bad_request"],
    ["CONNECT", get("", "CONNECT a:1 HTTP/1.1"), "not_implemented"],
    ["HTTP/2.0", get("", "GET / HTTP/2.0"), "bad_request"],
    ["HTTP/1.2", get("", "GET / HTTP/1.2"), "bad_request"],
    ["http/1.1", get("", "GET / http/1.1"), "bad_request"],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", "missing_host"],
    ["two Hosts", get("host: a.example\r\n"), "bad_request"],
    ["an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "bad_request"],
    ["a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "bad_request"],
    ["a folded field", get("x: a\r\n b\r\n"), "bad_request"],
    ["a blank before the colon", get("x : a\r\n"), "bad_request"],
    ["a field without colon", get("x\r\n"), "bad_request"],
    ["a field without name", get(": a\r\n"), "bad_request"],
    ["a NUL in a value", get("x: a\0b\r\n"), "bad_request"],
    ["a CR in a value", get("x: a\rb\r\n"), "bad_request"],
    ["a bare LF", get("x: a\n"), "bad_request"],
    ["an empty length", get("Content-Length:\r\n"), "bad_request"],
    ["a signed length", get("Content-Length: +1\r\n"), "bad_request"],
    ["a list of lengths", get("Content-Length: 1, 1\r\n"), "bad_request"],
    ["two lengths", get("Content-Length: 1\r\nContent-Length: 1\r\n"), "bad_request"],
    ["a length beyond what a number holds", get("Content-Length: 9007199254740993\r\n"), "bad_request"],
    ["a length and a coding", get("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), "bad_request"],
    ["chunked twice", get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "bad_request"],
    ["another coding", get("Transfer-Encoding: gzip, chunked\r\n"), "not_implemented"],
    ["chunks in HTTP/1.0", get("Transfer-Encoding: chunked\r\n", "GET / HTTP/1.0"), "bad_request"],
  ])("with %s is refused", (_, text, failure) => {
    expect(read(text)).toEqual({ requests: [], fault: failure, isCutShort: false });
  });

  test("of HTTP/1.0 is refused where it is switched off", () => {
    expect(readWithOurs([bytes(get("", "GET / HTTP/1.0"))], { allowsHttp10: false }).fault).toBe("low_version");
  });

  test("may be as long as the limit and no longer", () => {
    const text = get(`x: ${"a".repeat(100)}\r\n`);
    for (const cut of [text.length, 40]) {
      const pieces = [bytes(text.slice(0, cut)), bytes(text.slice(cut))];
      expect(readWithOurs(pieces, { maxHeadBytes: text.length }).requests).toHaveLength(1);
      expect(readWithOurs(pieces, { maxHeadBytes: text.length - 1 }).fault).toBe("head_too_large");
    }
  });

  test("may have as many fields as the limit and no more", () => {
    expect(readWithOurs([bytes(get("a: 1\r\nb: 2\r\n"))], { maxHeaderCount: 3 }).requests).toHaveLength(1);
    expect(readWithOurs([bytes(get("a: 1\r\nb: 2\r\nc: 3\r\n"))], { maxHeaderCount: 3 }).fault).toBe("head_too_large");
  });

  test.each([
    ["closes with Connection: close", get("Connection: x, Close\r\n"), { closesConnection: true }],
    ["stays open", get(), { closesConnection: false }],
    ["of HTTP/1.0 closes", get("", "GET / HTTP/1.0"), { closesConnection: true }],
    [
      "of HTTP/1.0 stays with keep-alive",
      get("Connection: keep-alive\r\n", "GET / HTTP/1.0"),
      { closesConnection: false },
    ],
    [
      "waits for 100 when a body follows",
      get("Expect: 100-Continue\r\nContent-Length: 1\r\n", "POST / HTTP/1.1"),
      { awaitsContinue: true },
    ],
    ["without body waits for nothing", get("Expect: 100-continue\r\n"), { awaitsContinue: false }],
    ["asks for WebSocket", get("Connection: Upgrade\r\nUpgrade: WebSocket\r\n"), { upgrade: "websocket" }],
    [
      "with a body asks for nothing",
      get("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\n"),
      { upgrade: null },
    ],
    [
      "asks for nothing in HTTP/1.0",
      get("Connection: upgrade\r\nUpgrade: websocket\r\n", "GET / HTTP/1.0"),
      { upgrade: null },
    ],
    ["asks for nothing without Connection", get("Upgrade: websocket\r\n"), { upgrade: null }],
    [
      "has an absolute target",
      get("", "GET http://b.example:81?q HTTP/1.1"),
      { target: "/?q", authority: "b.example:81" },
    ],
    ["keeps bytes beyond ASCII", get("x: caf\xe9\r\n"), { headers: ["x", "caf\xe9"] }],
  ])("%s", (_, text, expected) => {
    expect(parseRequestHead(text.slice(0, -2), limits)).toMatchObject(expected);
  });
});

describe("a bare LF in a head", () => {
  test.each([
    ["at once", ["GET / HTTP/1.1\nHost: a\n\n"]],
    ["cut behind the CR, which is none", ["GET / HTTP/1.1\r", "\nHost: a\n"]],
    ["at the beginning of a read", ["GET / HTTP/1.1", "\nHost: a"]],
  ])("is refused %s", (_, pieces) => {
    expect(readWithOurs(pieces.map(bytes)).fault).toBe("bad_request");
  });
});

describe("between requests", () => {
  test("empty lines are skipped, a few of them", () => {
    expect(read(`\r\n${get()}\r\n\r\n${get()}`).requests).toHaveLength(2);
    expect(read("\r\n".repeat(9)).fault).toBe("bad_request");
  });

  test.each(["\n", "\r", "\r\r\n", "\n\r"])("%j is no empty line", (text) => {
    expect(read(text + get()).fault).toBe("bad_request");
  });
});

describe("a body", () => {
  const post = (fields: string, body: string) => get(fields, "POST / HTTP/1.1") + body;

  test("ends where its length says, and the next request begins there", () => {
    const { requests } = read(post("Content-Length: 3\r\n", "abc") + get("x: 1\r\n"));
    expect(requests.map(({ body }) => body)).toEqual(["abc", ""]);
  });

  test("that does not end is no request", () => {
    expect(read(post("Content-Length: 3\r\n", "ab"))).toMatchObject({ requests: [], fault: null, isCutShort: true });
  });

  test.each([
    ["a size that is no number", "x\r\n"],
    ["no size", "\r\n"],
    ["a negative size", "-1\r\n"],
    ["a size of 17 digits", `${"0".repeat(16)}1\r\na\r\n0\r\n\r\n`],
    ["a size beyond what a number holds", "ffffffffffffffff\r\n"],
    ["a blank behind the size", "1 \r\na\r\n0\r\n\r\n"],
    ["a bare LF behind the size", "1\na\r\n0\r\n\r\n"],
    ["more data than its size", "1\r\nab\r\n0\r\n\r\n"],
    ["a bare LF behind the data", "1\r\na\n0\r\n\r\n"],
    ["a LF in an extension", "1;a\nb\r\na\r\n0\r\n\r\n"],
    ["an endless extension", `1;${"a".repeat(5000)}\r\na\r\n0\r\n\r\n`],
    ["a length in its trailers", "0\r\nContent-Length: 1\r\n\r\n"],
    ["a coding in its trailers", "0\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["a folded trailer", "0\r\na: b\r\n c\r\n\r\n"],
    ["endless trailers", `0\r\n${"a: b\r\n".repeat(2000)}\r\n`],
  ])("in chunks with %s is refused", (_, body) => {
    const { requests, fault } = read(post("Transfer-Encoding: chunked\r\n", body) + get());
    expect({ requests, fault }).toEqual({ requests: [], fault: "bad_request" });
  });
});

test.each([
  ["of HTTP/1.0 expectations are ignored", "GET / HTTP/1.0\r\nHost: a\r\nExpect: magic\r\n\r\n", null],
  [
    "two Upgrade fields are one list, and no handshake",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n",
    null,
  ],
  ["a tab behind a value is none of its framing", "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\t\r\n\r\n", null],
  [
    "a tab behind what frames it is refused",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\t\r\n\r\n",
    "bad_request",
  ],
  [
    "more trailers than headers are allowed are refused",
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${"X: 1\r\n".repeat(101)}\r\n`,
    "bad_request",
  ],
])("%s", (_name, text, fault) => {
  const reading = readWithOurs([Buffer.from(text, "latin1")]);
  expect(reading.fault).toBe(fault);
  expect(reading.requests).toHaveLength(fault === null ? 1 : 0);
});
