// A head is read by what the connection remembers of the one before it: it must say the same as when it is read for the first time.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxKnownHeadChars } from "../../src/upstream/line-memory.ts";
import { parseResponseHead, ResponseHead } from "../../src/upstream/response-head.ts";

const lines = [
  "Server: nginx",
  "server: nginx",
  "Server:  nginx ",
  "Date: Mon, 23 Nov 2026 18:01:51 GMT",
  "Date: Mon, 23 Nov 2026 18:01:52 GMT",
  "Content-Length: 17",
  "Content-Length: 170",
  "Transfer-Encoding: chunked",
  "Connection: keep-alive",
  "Connection: close",
  "Connection: x-mine",
  "X-Mine: 1",
  "Set-Cookie: a=1",
  "Set-Cookie: a=12",
  "Keep-Alive: timeout=5",
  "no colon",
  " folded",
  "X-Bad: \u0000",
];
const statusLines = ["HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found", "HTTP/1.0 200 OK", "HTTP/1.1 20 OK"];

const head = fc
  .tuple(fc.constantFrom(...statusLines), fc.array(fc.constantFrom(...lines), { maxLength: 15 }))
  .map(([status, fields]) => [status, ...fields, ""].join("\r\n"));
/** Few different ones, so that they come again, and again. */
const conversation = fc
  .array(head, { minLength: 1, maxLength: 4 })
  .chain((heads) => fc.array(fc.constantFrom(...heads), { minLength: 1, maxLength: 12 }));

function read(text: string, into: ResponseHead): unknown {
  const fault = parseResponseHead(text, into);
  if (fault !== null) return fault;
  const { contentLength, hasClose, hasKeepAlive, headers, isChunked, isHttp10, status } = into;
  return { contentLength, hasClose, hasKeepAlive, headers: [...headers], isChunked, isHttp10, status };
}

describe("what is remembered of a head", () => {
  test("changes nothing of what the next one says", () => {
    fc.assert(
      fc.property(conversation, (heads) => {
        const remembering = new ResponseHead();
        for (const text of heads) {
          expect(read(text, remembering)).toEqual(read(text, new ResponseHead()));
          // Whoever gets the list takes names out and puts others in.
          remembering.headers.splice(0, 1, "mine");
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("is not the list that somebody else got", () => {
    const remembering = new ResponseHead();
    const text = "HTTP/1.1 200 OK\r\nServer: nginx\r\n";
    const lists = Array.from({ length: 4 }, () => {
      parseResponseHead(text, remembering);
      return remembering.headers;
    });
    expect(new Set(lists).size).toBe(4);
    expect(lists).toEqual(Array.from({ length: 4 }, () => ["server", "nginx"]));
  });

  test("is bounded: a long head is read each time", () => {
    const remembering = new ResponseHead();
    const text = `HTTP/1.1 200 OK\r\nX-Long: ${"x".repeat(maxKnownHeadChars)}\r\n`;
    for (let i = 0; i < 3; i++) parseResponseHead(text, remembering);
    expect([remembering.text, remembering.memory.find(0, text, 17)]).toEqual(["", null]);
  });
});
