import { describe, expect, test } from "vitest";
import { parseResponse, type ParseOptions } from "./parse-response.ts";

const ok = (head: string, body = ""): string => `HTTP/1.1 200 OK\r\n${head}\r\n${body}`;

describe("a response is read to its end", () => {
  const cases: { name: string; text: string; options?: ParseOptions; want: Record<string, unknown> }[] = [
    {
      name: "with a length",
      text: ok("Content-Type: a/b\r\nContent-Length: 5\r\n", "hello"),
      want: { status: 200, headers: ["content-type", "a/b"], bodyLength: 5, body: "hello", canReuse: true },
    },
    { name: "with length zero", text: ok("content-length: 0\r\n"), want: { bodyLength: 0, body: "", canReuse: true } },
    {
      name: "with one length said twice",
      text: ok("content-length: 2\r\nContent-Length: 2\r\n", "hi"),
      want: { bodyLength: 2, body: "hi" },
    },
    {
      name: "in chunks",
      text: ok("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\nA\r\n, world!!!\r\n0\r\n\r\n"),
      want: { bodyLength: -1, headers: [], body: "hello, world!!!", canReuse: true },
    },
    {
      name: "in chunks with extensions and trailers, both dropped",
      text: ok("transfer-encoding: Chunked\r\n", '1;a=b;c="\\"d"\r\nx\r\n000;last\r\nX-Sum: 1\r\nY: 2\r\n\r\n'),
      want: { headers: [], body: "x", canReuse: true },
    },
    {
      name: "that ends with the connection",
      text: ok("a: b\r\n", "to the end"),
      options: { closes: true },
      want: { bodyLength: -1, body: "to the end", canReuse: false },
    },
    {
      name: "to HEAD, with the length only announced",
      text: ok("content-length: 99\r\n"),
      options: { isHead: true },
      want: { bodyLength: 99, body: "", canReuse: true },
    },
    { name: "to HEAD without a length", text: ok("a: b\r\n"), options: { isHead: true }, want: { bodyLength: -1 } },
    {
      name: "to HEAD that would be chunked",
      text: ok("transfer-encoding: chunked\r\n"),
      options: { isHead: true },
      want: { bodyLength: -1, canReuse: true },
    },
    { name: "204", text: "HTTP/1.1 204 No Content\r\n\r\n", want: { status: 204, bodyLength: 0, canReuse: true } },
    {
      name: "204 that announces a body, whose connection is not trusted again",
      text: "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n",
      want: { bodyLength: 0, canReuse: false },
    },
    {
      name: "304 with the length of what it stands for",
      text: "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
      want: { bodyLength: 5, body: "", canReuse: true },
    },
    {
      name: "behind interim responses",
      text: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${ok("content-length: 1\r\n", "a")}`,
      want: { informational: [100, 103], status: 200, body: "a" },
    },
    { name: "with an empty reason", text: "HTTP/1.1 200 \r\ncontent-length: 0\r\n\r\n", want: { status: 200 } },
    { name: "without a reason", text: "HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", want: { status: 200 } },
    { name: "whose server closes", text: ok("connection: close\r\ncontent-length: 0\r\n"), want: { canReuse: false } },
    { name: "of HTTP/1.0", text: "HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n", want: { canReuse: false } },
    {
      name: "of HTTP/1.0 that keeps alive",
      text: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\ncontent-length: 0\r\n\r\n",
      want: { canReuse: true },
    },
    {
      name: "with values trimmed and bytes above ASCII kept",
      text: ok("X-Y: \t \u00e4 b\t \r\nempty:\r\ncontent-length: 0\r\n"),
      want: { headers: ["x-y", "\u00e4 b", "empty", ""] },
    },
    {
      name: "without what describes only this connection",
      text: ok(
        "Connection: close, X-Private\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: trailers\r\nTrailer: a\r\n" +
          "Upgrade: h2c\r\nx-private: 1\r\nset-cookie: a\r\nSet-Cookie: b\r\nContent-Length: 0\r\n",
      ),
      want: { headers: ["set-cookie", "a", "set-cookie", "b"] },
    },
  ];

  test.each(cases)("$name", ({ text, options, want }) => {
    expect(parseResponse([text], options)).toMatchObject({ fault: null, isDone: true, extraBytes: 0, ...want });
    expect(parseResponse(text.split(""), options), "byte by byte").toEqual(parseResponse([text], options));
    for (let cut = 1; cut < text.length; cut++) {
      expect(parseResponse([text.slice(0, cut), text.slice(cut)], options)).toEqual(parseResponse([text], options));
    }
  });
});

describe("a response that two readers could read differently is refused", () => {
  const chunked = (body: string): string => ok("transfer-encoding: chunked\r\n", body);
  const cases: [name: string, text: string, fault: string][] = [
    ["not HTTP", "SSH-2.0-OpenSSH\r\n\r\n", "bad status line"],
    ["another version", "HTTP/2.0 200 OK\r\n\r\n", "bad status line"],
    ["a line before the status line", "\r\nHTTP/1.1 200 OK\r\n\r\n", "bad status line"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "bad status line"],
    ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "bad status line"],
    ["a status below 100", "HTTP/1.1 099 OK\r\n\r\n", "bad status line"],
    ["NUL in the reason", "HTTP/1.1 200 O\0K\r\n\r\n", "bad status line"],
    ["a bare LF behind the status line", "HTTP/1.1 200 OK\na: b\r\n\r\n", "bad status line"],
    ["switching protocols, which nobody asked for", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "unexpected 101"],
    ["a bare LF in a value", ok("a: b\nc: d\r\n"), "bad header value"],
    ["a bare CR in a value", ok("a: b\rc: d\r\n"), "bad header value"],
    ["NUL in a value", ok("a: b\0c\r\n"), "bad header value"],
    ["DEL in a value", ok("a: b\x7fc\r\n"), "bad header value"],
    ["a folded line", ok("a: b\r\n c: d\r\n"), "bad header name"],
    ["a blank before the colon", ok("content-length : 5\r\n"), "bad header name"],
    ["an empty name", ok(": b\r\n"), "bad header name"],
    ["a line without colon", ok("ab\r\nc: d\r\n"), "bad header name"],
    ["a last line without colon", ok("ab\r\n"), "bad header name"],
    ["a name above ASCII", ok("\u00e4: b\r\n"), "bad header name"],
    ["201 headers", ok("a: b\r\n".repeat(201)), "too many headers"],
    ["two lengths", ok("content-length: 5\r\ncontent-length: 6\r\n"), "conflicting content-length"],
    ["a list of lengths", ok("content-length: 5, 5\r\n"), "bad content-length"],
    ["a signed length", ok("content-length: +5\r\n"), "bad content-length"],
    ["a hexadecimal length", ok("content-length: 0x5\r\n"), "bad content-length"],
    ["an empty length", ok("content-length:\r\n"), "bad content-length"],
    ["a length beyond counting", ok("content-length: 9007199254740993\r\n"), "bad content-length"],
    [
      "chunked and a length",
      ok("transfer-encoding: chunked\r\ncontent-length: 5\r\n"),
      "transfer-encoding with content-length",
    ],
    [
      "a length and chunked",
      ok("content-length: 5\r\ntransfer-encoding: chunked\r\n"),
      "transfer-encoding with content-length",
    ],
    ["gzip, chunked", ok("transfer-encoding: gzip, chunked\r\n"), "bad transfer-encoding"],
    ["chunked, identity", ok("transfer-encoding: chunked, identity\r\n"), "bad transfer-encoding"],
    ["xchunked", ok("transfer-encoding: xchunked\r\n"), "bad transfer-encoding"],
    ["chunked twice", ok("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n"), "bad transfer-encoding"],
    ["chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "transfer-encoding in HTTP/1.0"],
    ["a chunk without size", chunked("\r\n\r\n"), "bad chunk"],
    ["a negative chunk", chunked("-1\r\n\r\n"), "bad chunk"],
    ["a chunk size with 0x", chunked("0x1\r\na\r\n"), "bad chunk"],
    ["a blank behind the chunk size", chunked("1 \r\na\r\n"), "bad chunk"],
    ["a chunk size that ends in LF", chunked("1\na\r\n"), "bad chunk"],
    ["a chunk size of 17 digits", chunked("00000000000000001\r\na\r\n"), "bad chunk"],
    ["a chunk size that overflows", chunked("ffffffffffffffff\r\n"), "bad chunk"],
    ["a chunk longer than said", chunked("1\r\nab\r\n"), "bad chunk"],
    ["a chunk that ends in LF", chunked("1\r\na\n0\r\n\r\n"), "bad chunk"],
    ["a bare LF in an extension", chunked("1;a\nb\r\na\r\n"), "bad chunk"],
    ["a bare CR in an extension", chunked("1;a\rb\r\na\r\n"), "bad chunk"],
    ["a bare LF in a quoted extension", chunked('1;a="\n"\r\na\r\n'), "bad chunk"],
    ["an endless extension", chunked(`1;${"a".repeat(5000)}`), "chunk extension too long"],
    ["a bad trailer", chunked("0\r\na b: c\r\n\r\n"), "bad header name"],
    ["a length in the trailers", chunked("0\r\ncontent-length: 5\r\n\r\n"), "framing in trailers"],
    ["endless trailers", chunked(`0\r\n${"a: b\r\n".repeat(2000)}`), "trailers too large"],
  ];

  test.each(cases)("%s", (_name, text, fault) => {
    expect(parseResponse([text])).toMatchObject({ isDone: false, fault });
    expect(parseResponse(text.split("")), "byte by byte").toMatchObject({ isDone: false, fault });
  });
});

test("a head is bounded, in one read or many", () => {
  const text = ok(`a: ${"b".repeat(1000)}\r\ncontent-length: 0\r\n`);
  const fits = { maxHeadBytes: text.length };
  const tooSmall = { maxHeadBytes: text.length - 1 };
  expect(parseResponse([text], fits).isDone).toBe(true);
  expect(parseResponse(text.split(""), fits).isDone).toBe(true);
  expect(parseResponse([text], tooSmall).fault).toBe("head too large");
  expect(parseResponse(text.split(""), tooSmall).fault).toBe("head too large");
});

test("bytes behind a complete response are left alone and counted", () => {
  const response = parseResponse([ok("content-length: 2\r\n", "hiHTTP/1.1 200 OK\r\n\r\n")]);
  expect(response).toMatchObject({ isDone: true, body: "hi", extraBytes: 19 });
});

test("a body cut short is not complete", () => {
  expect(parseResponse([ok("content-length: 5\r\n", "hell")], { closes: true }).isDone).toBe(false);
  expect(parseResponse([ok("transfer-encoding: chunked\r\n", "5\r\nhello\r\n")], { closes: true }).isDone).toBe(false);
  expect(parseResponse([ok("transfer-encoding: chunked\r\n", "0\r\n")], { closes: true }).isDone).toBe(false);
  expect(parseResponse(["HTTP/1.1 200 OK\r\na: b\r\n"], { closes: true }).isDone).toBe(false);
});
