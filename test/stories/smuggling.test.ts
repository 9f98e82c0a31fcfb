// Bytes that two hops could read differently, sent to the whole product. Whatever a client sends, the backend gets at most one request
// for it, framed in exactly one way; what has no single meaning is refused. (RFC 9112, sections 6 and 11.2.)
import { type RecordedRequest, startHttpbin } from "@sluice/httpbin";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { documents, gatewayResource, httpServer, service, virtualService } from "../support/config.ts";
import { engineLanes } from "../support/engines.ts";
import { type Gateway, gateway } from "../support/gateway.ts";
import { clear, hasWholeMessage, type Reply, statusesIn, talk } from "../support/raw-socket.ts";

const host = "app.example";

/** `refused`: the backend sees nothing. `one`: it sees one request with this many body bytes. `either`: the engines differ. */
type Verdict = "refused" | "either" | { readonly bodyBytes: number };

interface Attack {
  readonly name: string;
  /** The bytes; `path` is where the request goes, `hidden` what a second reading would find. */
  readonly send: (path: string, hidden: string) => string;
  readonly verdict: Verdict;
}

const second = (hidden: string) => `GET ${hidden} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const post = (path: string, fields: string, body: string) =>
  `POST ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n\r\n${body}`;
const get = (path: string, fields: string) => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n\r\n`;
const chunked = "Transfer-Encoding: chunked";

/** A request whose body, or what follows it, is a request of its own. */
function framing(name: string, fields: string, verdict: Verdict = "refused"): Attack {
  return { name, verdict, send: (path, hidden) => post(path, fields, `0\r\n\r\n${second(hidden)}`) };
}

const framings: readonly Attack[] = [
  framing("length before coding", `Content-Length: 5\r\n${chunked}`),
  framing("coding before length", `${chunked}\r\nContent-Length: 5`),
  framing("length 0 and coding", `Content-Length: 0\r\n${chunked}`),
  framing("the same length twice", "Content-Length: 5\r\nContent-Length: 5"),
  framing("two lengths", "Content-Length: 5\r\nContent-Length: 0"),
  framing("a list of lengths", "Content-Length: 5, 5"),
  framing("a signed length", "Content-Length: +5"),
  framing("a negative length", "Content-Length: -5"),
  framing("a hexadecimal length", "Content-Length: 0x5"),
  framing("a length with a space inside", "Content-Length: 5 0"),
  framing("an empty length", "Content-Length:"),
  framing("a length beyond every number", "Content-Length: 99999999999999999999"),
  framing("xchunked", "Transfer-Encoding: xchunked"),
  framing("chunked twice in a list", "Transfer-Encoding: chunked, chunked"),
  framing("chunked twice", `${chunked}\r\n${chunked}`),
  framing("chunked and identity", `${chunked}\r\nTransfer-Encoding: identity`),
  framing("identity", "Transfer-Encoding: identity"),
  framing("gzip before chunked", "Transfer-Encoding: gzip, chunked"),
  framing("chunked before identity", "Transfer-Encoding: chunked, identity"),
  framing("chunked with a parameter", "Transfer-Encoding: chunked;q=1"),
  framing("chunked in quotes", 'Transfer-Encoding: "chunked"'),
  framing("chunked with a vertical tab", "Transfer-Encoding: \u000bchunked"),
  framing("an empty coding", "Transfer-Encoding:"),
  framing("a space before the colon of the coding", "Transfer-Encoding : chunked"),
  framing("a space before the colon of the length", "Content-Length : 5"),
  framing("a folded coding", "Transfer-Encoding:\r\n chunked"),
  framing("a folded field", "X-Fold: a\r\n b\r\nContent-Length: 5"),
  framing("a coding after a bare line feed", `X-Line: a\n${chunked}\r\nContent-Length: 5`),
  framing("a coding after a bare carriage return", `X-Line: a\r${chunked}\r\nContent-Length: 5`),
  framing("NUL in a value", "X-Nul: a\u0000b\r\nContent-Length: 5"),
  framing("NUL in a name", "X-\u0000Nul: a\r\nContent-Length: 5"),
  framing("a field without colon", "Nothing\r\nContent-Length: 5"),
  framing("a name with brackets", "X(y): a\r\nContent-Length: 5"),
  framing("an empty name", ": a\r\nContent-Length: 5"),
  framing("chunked and nothing in a list", "Transfer-Encoding: chunked,"),
  framing("nothing and chunked in a list", "Transfer-Encoding: ,chunked"),
  framing("a tab before the colon of the length", "Content-Length\t: 5"),
  framing("NUL behind the length", "Content-Length: 5\u0000"),
  framing("a fraction of a length", "Content-Length: 5.0"),
  framing("a length with an exponent", "Content-Length: 5e0"),
  framing("a length in underscores", "Content-Length: 5_0"),
  framing("a field of 100 KiB", `X-Long: ${"y".repeat(102_400)}\r\nContent-Length: 5`),
  framing("a name of 100 KiB", `X-${"y".repeat(102_400)}: z\r\nContent-Length: 5`),
  framing("two thousand fields", `${"X: y\r\n".repeat(2000)}Content-Length: 5`),
];

const lines: readonly Attack[] = [
  {
    name: "a space before the first field",
    verdict: "refused",
    send: (path) => `GET ${path} HTTP/1.1\r\n X: y\r\nHost: ${host}\r\n\r\n`,
  },
  { name: "the same Host twice", verdict: "refused", send: (path) => get(path, `Host: ${host}`) },
  { name: "two Hosts", verdict: "refused", send: (path) => get(path, "Host: other.example") },
  { name: "no Host", verdict: "refused", send: (path) => `GET ${path} HTTP/1.1\r\nX: y\r\n\r\n` },
  { name: "an empty Host", verdict: "refused", send: (path) => `GET ${path} HTTP/1.1\r\nHost:\r\n\r\n` },
  { name: "a list of Hosts", verdict: "refused", send: (path) => `GET ${path} HTTP/1.1\r\nHost: ${host},b\r\n\r\n` },
  { name: "a user in Host", verdict: "refused", send: (path) => `GET ${path} HTTP/1.1\r\nHost: a@${host}\r\n\r\n` },
  { name: "a path in Host", verdict: "refused", send: (path) => `GET ${path} HTTP/1.1\r\nHost: ${host}/x\r\n\r\n` },
  {
    name: "a folded Host",
    verdict: "refused",
    send: (path) => `GET ${path} HTTP/1.1\r\nHost: app\r\n .example\r\n\r\n`,
  },
  { name: "NUL in Host", verdict: "refused", send: (path) => `GET ${path} HTTP/1.1\r\nHost: a\u0000b\r\n\r\n` },
  {
    name: "a Host port of six digits",
    verdict: "refused",
    send: (path) => get(path, "X: y").replace(host, `${host}:100000`),
  },
  { name: "a query in Host", verdict: "refused", send: (path) => get(path, "X: y").replace(host, `${host}?x`) },
  { name: "NUL in the target", verdict: "refused", send: (path) => get(`${path}\u0000x`, "X: y") },
  { name: "a target of 100 KiB", verdict: "refused", send: (path) => get(`${path}?${"y".repeat(102_400)}`, "X: y") },
  {
    name: "a bare carriage return in the request line",
    verdict: "refused",
    send: (path) => `GET ${path}\rHTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  },
  { name: "line feeds only", verdict: "refused", send: (path) => `GET ${path} HTTP/1.1\nHost: ${host}\n\n` },
  { name: "HTTP/1.0", verdict: "refused", send: (path) => `GET ${path} HTTP/1.0\r\nHost: ${host}\r\n\r\n` },
  { name: "HTTP/0.9", verdict: "refused", send: (path) => `GET ${path}\r\n\r\n` },
  { name: "HTTP/1.2", verdict: "refused", send: (path) => `GET ${path} HTTP/1.2\r\nHost: ${host}\r\n\r\n` },
  { name: "HTTP/2.0 in clear", verdict: "refused", send: (path) => `GET ${path} HTTP/2.0\r\nHost: ${host}\r\n\r\n` },
  { name: "HTTP/11", verdict: "refused", send: (path) => `GET ${path} HTTP/11\r\nHost: ${host}\r\n\r\n` },
  { name: "HTTPS/1.1", verdict: "refused", send: (path) => `GET ${path} HTTPS/1.1\r\nHost: ${host}\r\n\r\n` },
  {
    name: "two spaces in the request line",
    verdict: "either",
    send: (path) => `GET  ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  },
  { name: "a space in the target", verdict: "refused", send: (path) => get(`${path} x`, "X: y") },
  { name: "a tab in the target", verdict: "refused", send: (path) => get(`${path}\tx`, "X: y") },
  { name: "a method with a bracket", verdict: "refused", send: (path) => get(path, "X: y").replace("GET", "G(T") },
  {
    name: "CONNECT with a path",
    verdict: "refused",
    send: (path) => `CONNECT ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
  },
  { name: "CONNECT", verdict: "refused", send: () => `CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}\r\n\r\n` },
  {
    name: "an absolute target for another host",
    verdict: "either",
    send: (path) => `GET http://${host}${path} HTTP/1.1\r\nHost: other.example\r\n\r\n`,
  },
];

const chunks = (name: string, body: string, verdict: Verdict = "refused"): Attack => ({
  name,
  verdict,
  send: (path, hidden) => post(path, chunked, `${body}${second(hidden)}`),
});

// The head is good, so these may have been forwarded when the body turns out bad: then the backend sees a request that never completes.
const bodies: readonly Attack[] = [
  chunks("a chunk size in C notation", "0x5\r\nhello\r\n0\r\n\r\n", "either"),
  chunks("a negative chunk size", "-5\r\nhello\r\n0\r\n\r\n", "either"),
  chunks("a chunk size of 17 digits", "10000000000000005\r\nhello\r\n0\r\n\r\n", "either"),
  chunks("a chunk longer than its size", "5\r\nhelloXX\r\n0\r\n\r\n", "either"),
  chunks("a chunk with line feeds only", "5\nhello\n0\n\n", "either"),
  chunks("an empty chunk size", "\r\nhello\r\n0\r\n\r\n", "either"),
  chunks("a chunk size with a plus", "+5\r\nhello\r\n0\r\n\r\n", "either"),
  chunks("a chunk size behind a space", " 5\r\nhello\r\n0\r\n\r\n", "either"),
  chunks("a chunk size with an underscore", "0_5\r\nhello\r\n0\r\n\r\n", "either"),
  chunks("a chunk size that overflows", "ffffffffffffffff\r\nhello\r\n0\r\n\r\n", "either"),
  chunks("a chunk without line end", "5\r\nhello0\r\n\r\n", "either"),
  chunks("a chunk that ends with a line feed", "5\r\nhello\n0\r\n\r\n", "either"),
  // Well formed, so that a request behind it would be one that the client really sends.
  {
    name: "a chunk extension",
    verdict: "either",
    send: (path) => post(path, chunked, "5;name=value\r\nhello\r\n0\r\n\r\n"),
  },
  chunks("a chunk extension with a line feed", "5;a\nb\r\nhello\r\n0\r\n\r\n", "either"),
  {
    name: "a second request as trailer",
    verdict: "either",
    send: (path, hidden) => post(path, chunked, `5\r\nhello\r\n0\r\n${second(hidden)}`),
  },
  {
    name: "a body that is a request",
    verdict: { bodyBytes: 100 },
    send: (path, hidden) => post(path, "Content-Length: 100", second(hidden).padEnd(100)),
  },
  {
    name: "a body on GET that is a request",
    verdict: { bodyBytes: 100 },
    send: (path, hidden) => get(path, "Content-Length: 100") + second(hidden).padEnd(100),
  },
  {
    name: "a body of which Connection names the length",
    verdict: { bodyBytes: 100 },
    send: (path, hidden) =>
      post(path, "Connection: content-length, close\r\nContent-Length: 100", second(hidden).padEnd(100)),
  },
  {
    name: "a chunked body of which Connection names the coding",
    verdict: { bodyBytes: 5 },
    send: (path) => post(path, `Connection: close, transfer-encoding\r\n${chunked}`, "5\r\nhello\r\n0\r\n\r\n"),
  },
  {
    name: "an upgrade to HTTP/2 in clear",
    verdict: { bodyBytes: 0 },
    send: (path) =>
      get(path, "Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__"),
  },
];

const attacks = [...framings, ...lines, ...bodies];
const backend = await startHttpbin();
const config = documents(
  gatewayResource("web", [httpServer(["*"])]),
  virtualService("web", { hosts: ["*"], gateways: ["web"], destination: "httpbin" }),
  ...service("httpbin", backend.port),
);

afterAll(() => backend.close());

/** Framing and authority of what arrived, in one word each. */
function framingOf(request: RecordedRequest): { hosts: number; framing: string } {
  const names = request.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  const count = (name: string) => names.filter((other) => other === name).length;
  const [lengths, codings] = [count("content-length"), count("transfer-encoding")];
  return { hosts: count("host"), framing: lengths + codings > 1 ? "ambiguous" : "clear" };
}

describe.each(engineLanes)("$name", (lane) => {
  let world: Gateway;
  const replies = new Map<string, Reply>();
  const pathOf = (index: number) => `/anything/${lane.expected}-${lane.name.replace(" ", "-")}-${index}/`;
  const arrived = (path: string) => backend.requests.filter(({ url }) => url === path);

  beforeAll(async () => {
    world = await gateway({ config: { "site.yaml": config }, edge: lane.edge, ports: [80] });
    await Promise.all(
      attacks.map(async ({ name, send, verdict }, index) => {
        const path = pathOf(index);
        // At the end of the client's half engines need not wait for more. It comes after the bytes, which are read first.
        const options = typeof verdict === "string" ? { half: true } : { until: hasWholeMessage };
        replies.set(name, await talk(clear(world.port(80)), send(path, `${path}hidden`), options));
      }),
    );
    // Whatever was put on a kept upstream connection has arrived before these.
    for (let round = 0; round < 10; round++) await (await fetch(world.url(80, "/status/200"))).text();
  });

  afterAll(() => world[Symbol.asyncDispose]());

  test.each(attacks.map((attack, index) => ({ ...attack, index })))(
    "$name: at most one request, and never the hidden one",
    ({ name, verdict, index }) => {
      const path = pathOf(index);
      const requests = arrived(path);
      const reply = replies.get(name);
      const statuses = statusesIn(reply?.text ?? "");
      expect(backend.requests.filter(({ url }) => url.startsWith(path) && url !== path)).toEqual([]);
      expect(requests.length).toBeLessThanOrEqual(1);
      for (const request of requests) expect(framingOf(request)).toEqual({ hosts: 1, framing: "clear" });
      if (verdict === "refused") {
        expect(requests).toEqual([]);
        expect(statuses.filter((status) => status < 400)).toEqual([]);
      } else if (verdict !== "either") {
        expect(requests.map(({ bodyBytes }) => bodyBytes)).toEqual([verdict.bodyBytes]);
        expect(statuses).toEqual([200]);
      }
      // Nothing after a refusal is answered as if it were a request.
      expect(statuses.length).toBeLessThanOrEqual(requests.length === 1 ? 2 : 1);
    },
  );

  test("requests that are pipelined honestly are answered in their order, or not at all", async () => {
    const paths = ["a", "b", "c"].map((name) => `/anything/${lane.name.replace(" ", "-")}-piped-${name}`);
    const socket = clear(world.port(80));
    const { text } = await talk(socket, paths.map((path) => get(path, "X: y")).join(""), { half: true });
    const answered = [...text.matchAll(/"url": "http:\/\/app\.example([^"]*)"/g)].map(([, url]) => url);
    expect(answered).toEqual(paths.slice(0, answered.length));
    const seen = backend.requests.map(({ url }) => url).filter((url) => paths.includes(url));
    expect(seen).toEqual(paths.slice(0, seen.length));
  });
});
