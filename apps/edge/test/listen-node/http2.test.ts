import { once } from "node:events";
import { connect, constants } from "node:http2";
import type { Socket } from "node:net";
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { frame, frameType } from "@sluice/http2-frames";
import { createAuthority } from "@sluice/demo/certificates";
import type { Authority } from "@sluice/demo/certificates";
import type { SecretResource } from "@sluice/core/model";
import { beforeAll, describe, expect, test } from "vitest";
import { Attacker, endHeaders, endStream, getBlock } from "../../../../test/support/http2-attacker.ts";
import type { Exchange } from "../../src/exchange/exchange.ts";
import type { DownstreamLimits } from "../../src/listen/listener.ts";
import {
  closed,
  codecInUse,
  openTcp,
  openTls,
  respond,
  secret,
  serverSecret,
  startListener,
  tlsChain,
  validation,
} from "./support.ts";
import type { TestListener } from "./support.ts";

const rstStreamType = 3;

let authority: Authority;
let secrets: SecretResource[];

beforeAll(async () => {
  authority = await createAuthority({ commonName: "root" });
  const server = await authority.issue({ commonName: "server", dnsNames: ["a.example"] });
  secrets = [serverSecret("server", server), secret("ca", { trustedCa: authority.certificatePem })];
});

const start = (limits: Partial<DownstreamLimits> = {}): Promise<TestListener> =>
  startListener({ chains: [tlsChain("a.example")], secrets, limits });

function openSession(listener: TestListener): ClientHttp2Session & AsyncDisposable {
  const session = connect(`https://a.example:${listener.port}`, {
    servername: "a.example",
    rejectUnauthorized: false,
    lookup: (_name, _options, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }] as never, 4),
  });
  session.on("error", () => undefined);
  return Object.assign(session, {
    [Symbol.asyncDispose]: async () => {
      if (session.destroyed) return;
      session.destroy();
      await once(session, "close");
    },
  });
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  let body = "";
  stream.on("data", (chunk: Buffer) => (body += chunk.toString()));
  const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
  await new Promise((resolve) => stream.once("close", resolve));
  return { headers, body };
}

const request = (session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): Promise<Answer> =>
  answerOf(session.request({ ":path": "/p?q", ":authority": "a.example", ...headers }));

const resetCodeOf = (stream: ClientHttp2Stream): Promise<number> =>
  new Promise((resolve) => {
    stream.on("error", () => undefined).on("data", () => undefined);
    stream.once("close", () => resolve(stream.rstCode ?? -1));
  });

/** Resolves when the server has reset a stream. */
function untilReset(socket: Socket): Promise<void> {
  let received = Buffer.alloc(0);
  return new Promise((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (let at = 0; at + 9 <= received.length; at += 9 + received.readUIntBE(at, 3)) {
        if (received[at + 3] === rstStreamType) resolve();
      }
    });
  });
}

test("a request arrives with its pseudo headers apart, and its response has date and length", async () => {
  await using listener = await start();
  await using session = openSession(listener);
  listener.handler.answer = (exchange) =>
    respond(exchange, 200, "caf\xe9", ["x-a", "1", "x-a", "2", "set-cookie", "a", "set-cookie", "b"]);
  const { headers, body } = await request(session, { "x-one": ["1", "2"], cookie: ["a=1", "b=2"], "x-latin": "\xe9" });
  const [exchange] = listener.handler.exchanges;
  expect(exchange).toMatchObject({
    method: "GET",
    target: "/p?q",
    path: "/p",
    authority: "a.example",
    protocol: "HTTP/2",
    scheme: "https",
    bodyLength: 0,
  });
  expect(exchange?.headers).toEqual(["x-one", "1", "x-one", "2", "cookie", "a=1; b=2", "x-latin", "\xe9"]);
  expect(headers).toMatchObject({ ":status": 200, "x-a": "1, 2", "set-cookie": ["a", "b"], "content-length": "5" });
  expect(headers["date"]).toMatch(/GMT$/);
  expect(body).toBe("caf\xe9");
});

test("many streams of one connection are served at once", async () => {
  await using listener = await start();
  await using session = openSession(listener);
  const waiting: Exchange[] = [];
  listener.handler.answer = (exchange) => {
    waiting.push(exchange);
    if (waiting.length === 5) for (const each of waiting.toReversed()) respond(each, 200, each.path);
  };
  const answers = await Promise.all(["/1", "/2", "/3", "/4", "/5"].map((path) => request(session, { ":path": path })));
  expect(answers.map(({ body }) => body)).toEqual(["/1", "/2", "/3", "/4", "/5"]);
});

test.each<[string, OutgoingHttpHeaders, number]>([
  ["a Host that is not :authority", { host: "b.example" }, 400],
  ["an authority that is a list", { ":authority": "a.example,b.example" }, 400],
  ["CONNECT", { ":method": "CONNECT", ":path": undefined, ":scheme": undefined }, 501],
  ["a length no number can hold", { ":method": "POST", "content-length": "9007199254740993" }, 400],
])("%s is refused and the connection goes on", async (_claim, headers, status) => {
  await using listener = await start();
  await using session = openSession(listener);
  const answer = await request(session, headers);
  expect(answer.headers).toMatchObject({ ":status": status, server: "sluice" });
  expect(listener.handler.exchanges).toEqual([]);
  expect(listener.refused).toHaveLength(1);
  expect((await request(session)).headers[":status"]).toBe(200);
});

test("a Host that agrees with :authority, in any case, is left out", async () => {
  await using listener = await start();
  await using session = openSession(listener);
  await request(session, { host: "A.Example" });
  expect(listener.handler.exchanges[0]).toMatchObject({ authority: "a.example", headers: [] });
});

describe("what only a hand-made client can send", () => {
  const valid = [":method", "GET", ":scheme", "https", ":path", "/", ":authority", "a.example"];
  const without = (name: string): string[] => valid.filter((_, i) => valid[i - (i % 2)] !== name);

  test.each<[string, string[]]>([
    ["no path", without(":path")],
    ["an empty path", [...without(":path"), ":path", ""]],
    ["a path without slash", [...without(":path"), ":path", "p"]],
    ["two paths", [...valid, ":path", "/2"]],
    ["two authorities", [...valid, ":authority", "b.example"]],
    ["an unknown pseudo header", [...valid, ":x", "1"]],
    ["a pseudo header after the others", [...without(":path"), "x", "1", ":path", "/"]],
    ["a name in upper case", [...valid, "X-A", "1"]],
    ["connection", [...valid, "connection", "close"]],
    ["transfer-encoding", [...valid, "transfer-encoding", "chunked"]],
    ["te other than trailers", [...valid, "te", "gzip"]],
    ["an authority with a user name", [...without(":authority"), ":authority", "u@a.example"]],
    ["an authority that is a list", [...without(":authority"), ":authority", "a.example, b.example"]],
    ["neither authority nor host", without(":authority")],
    ["two lengths", [...valid, "content-length", "0", "content-length", "0"]],
    ["two hosts", [...valid, "host", "a.example", "host", "a.example"]],
  ])("%s never becomes an exchange", async (_claim, headers) => {
    await using listener = await start();
    const socket = await openTls(listener.port, { servername: "a.example", ALPNProtocols: ["h2"] });
    socket.write(Buffer.concat([preface, headersFrame(1, headers), headersFrame(3, valid)]));
    socket.on("error", () => undefined).on("data", () => undefined);
    // The second stream tells that the first was dealt with; a client that broke the protocol may lose its connection instead.
    while (listener.handler.exchanges.length === 0 && !socket.closed) await new Promise(setImmediate);
    expect(listener.handler.exchanges.length).toBeLessThanOrEqual(1);
    expect(listener.handler.exchanges[0]?.headers ?? []).toEqual([]);
    expect(listener.handler.exchanges[0]?.target ?? "/").toBe("/");
    socket.destroy();
  });

  test.each([
    ["a line break", "a\r\nb: c"],
    ["a NUL", "a\0"],
  ])("a header with %s in its value is not passed on", async (_claim, value) => {
    await using listener = await start();
    const socket = await openTls(listener.port, { servername: "a.example", ALPNProtocols: ["h2"] });
    socket.write(Buffer.concat([preface, headersFrame(1, [...valid, "x", value, "y", "1"])]));
    // Our own codec does as RFC 9113, 8.2.1 says: the request is malformed.
    if (codecInUse === "own") await untilReset(socket);
    else while (listener.handler.exchanges.length === 0) await new Promise(setImmediate);
    expect(listener.handler.exchanges.map(({ headers }) => headers)).toEqual(codecInUse === "own" ? [] : [["y", "1"]]);
    socket.destroy();
  });
});

test("HEAD, 204 and 304 have no body, and announce what they are told", async () => {
  await using listener = await start();
  await using session = openSession(listener);
  listener.handler.answer = (exchange) => {
    exchange.isResponseStarted = true;
    exchange.sendHead(Number(exchange.path.slice(1)), [], exchange.path === "/204" ? 0 : 5);
    exchange.sendEnd();
  };
  const answers = await Promise.all([
    request(session, { ":method": "HEAD", ":path": "/200" }),
    request(session, { ":path": "/204" }),
    request(session, { ":path": "/304" }),
  ]);
  expect(answers.map(({ headers, body }) => [headers["content-length"], body])).toEqual([
    ["5", ""],
    [undefined, ""],
    ["5", ""],
  ]);
});

test("interim responses are passed on, 100 is said by the engine", async () => {
  await using listener = await start();
  await using session = openSession(listener);
  const { handler } = listener;
  handler.answer = (exchange) => exchange.sendInformational(103, ["link", "</a>"]);
  handler.events.on("end", (exchange: Exchange) => respond(exchange, 200, "done"));
  const stream = session.request(
    { ":path": "/", ":method": "POST", ":authority": "a.example", expect: "100-continue" },
    { endStream: false },
  );
  const interim: unknown[] = [];
  stream.on("headers", (headers: IncomingHttpHeaders) => interim.push(headers[":status"]));
  stream.once("continue", () => stream.end("body"));
  expect((await answerOf(stream)).body).toBe("done");
  expect(interim).toContain(103);
});

test("a response that repeats a header Node wants once is sent with the first", async () => {
  await using listener = await start();
  await using session = openSession(listener);
  listener.handler.answer = (exchange) => respond(exchange, 200, "x", ["content-type", "a/b", "content-type", "c/d"]);
  expect((await request(session)).headers).toMatchObject({ ":status": 200, "content-type": "a/b" });
});

test("a response with a header Node refuses is reset, and the connection goes on", async () => {
  await using listener = await start();
  await using session = openSession(listener);
  listener.handler.answer = (exchange) => respond(exchange, 200, "x", ["connection", "close"]);
  expect(await resetCodeOf(session.request({ ":authority": "a.example" }))).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  listener.handler.answer = (exchange) => respond(exchange, 200, "hello");
  expect((await request(session)).body).toBe("hello");
});

test("a reset reaches the client as a reset, never as the end of the body", async () => {
  await using listener = await start();
  await using session = openSession(listener);
  listener.handler.answer = (exchange) => {
    exchange.sendHead(200, [], -1);
    exchange.sendData(Buffer.from("part"));
    setImmediate(() => exchange.reset());
  };
  const stream = session.request({ ":authority": "a.example" });
  const ends: string[] = [];
  stream.on("end", () => ends.push("end"));
  expect(await resetCodeOf(stream)).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  expect(ends).toEqual([]);
});

test("a client that resets its stream is told once, and so is one that hangs up", async () => {
  await using listener = await start();
  const { handler } = listener;
  const aborted: Exchange[] = [];
  handler.events.on("abort", (exchange: Exchange) => aborted.push(exchange));
  handler.answer = () => undefined;
  const session = openSession(listener);
  const streams = [0, 1].map(() => session.request({ ":authority": "a.example" }).on("error", () => undefined));
  while (handler.exchanges.length < 2) await new Promise(setImmediate);
  const first = once(handler.events, "abort");
  streams[0]?.close(constants.NGHTTP2_CANCEL);
  await first;
  const second = once(handler.events, "abort");
  session.destroy();
  await second;
  await listener.bound.drain();
  expect(aborted).toEqual(handler.exchanges);
  for (const exchange of aborted) respond(exchange, 200, "nobody hears this");
});

test("an answer before the end of the upload is complete, and the upload is told to stop", async () => {
  await using listener = await start();
  await using session = openSession(listener);
  listener.handler.answer = (exchange) => respond(exchange, 413, "too much");
  const stream = session.request({ ":path": "/", ":method": "POST", ":authority": "a.example" }, { endStream: false });
  stream.on("error", () => undefined);
  stream.write(Buffer.alloc(1_000_000));
  expect(await answerOf(stream)).toMatchObject({ body: "too much", headers: { ":status": 413 } });
  expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
});

test("a paused upload stops within its window, resumed it arrives whole", async () => {
  await using listener = await start();
  await using session = openSession(listener);
  const { handler } = listener;
  const size = 8 * 1024 * 1024;
  handler.answer = (exchange) => exchange.pauseBody();
  const stream = session.request({ ":path": "/", ":method": "POST", ":authority": "a.example" }, { endStream: false });
  stream.end(Buffer.alloc(size, "x"));
  while (handler.exchanges.length === 0) await new Promise(setImmediate);
  const [exchange] = handler.exchanges as [Exchange];
  expect(exchange.bodyLength).toBe(-1);
  // Another stream of the connection is not held up.
  handler.answer = (other) => respond(other, 200, "hello");
  expect((await request(session)).body).toBe("hello");
  expect(exchange.bytesReceived).toBe(0);
  const end = once(handler.events, "end");
  exchange.resumeBody();
  await end;
  expect(exchange.bytesReceived).toBe(size);
  respond(exchange, 200);
  await answerOf(stream);
});

test("sendData says stop to a client that does not read, and drain says go", async () => {
  await using listener = await start();
  await using session = openSession(listener);
  const { handler } = listener;
  const chunk = Buffer.alloc(65_536, "y");
  const total = 128;
  let sent = 0;
  const pump = (exchange: Exchange): void => {
    while (sent < total) {
      sent++;
      if (!exchange.sendData(chunk)) return;
    }
    exchange.sendEnd();
  };
  handler.events.on("drain", pump);
  handler.answer = (exchange) => {
    exchange.sendHead(200, [], total * chunk.length);
    pump(exchange);
  };
  const stream = session.request({ ":authority": "a.example" });
  await once(stream, "response");
  expect(sent).toBeLessThan(total);
  let received = 0;
  stream.on("data", (data: Buffer) => (received += data.length));
  await once(stream, "end");
  expect(received).toBe(total * chunk.length);
});

test("streams beyond the limit are refused by the protocol, not served", async () => {
  await using listener = await start({ maxConcurrentStreams: 2 });
  await using session = openSession(listener);
  listener.handler.answer = () => undefined;
  await once(session, "remoteSettings");
  expect(session.remoteSettings.maxConcurrentStreams).toBe(2);
});

test("a method that is no token is no request: it would write a request line of its own", async () => {
  await using listener = await startListener();
  const attacker = new Attacker(await openTcp(listener.port));
  const line = Buffer.from("GET /admin HTTP/1.1");
  const method = Buffer.concat([Buffer.from([0x02, line.length]), line]);
  attacker.socket.write(
    frame(frameType.headers, endHeaders | endStream, 1, Buffer.concat([method, getBlock.subarray(1)])),
  );
  await expect.poll(() => attacker.frames.some(({ type }) => type === frameType.reset)).toBe(true);
  expect(listener.handler.exchanges).toHaveLength(0);
  attacker.socket.destroy();
});

test("a request with too many headers is refused", async () => {
  await using listener = await start({ maxHeaderCount: 10 });
  await using session = openSession(listener);
  const headers = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`x-${i}`, "1"]));
  if (codecInUse === "own") expect((await request(session, headers)).headers[":status"]).toBe(431);
  else expect(await resetCodeOf(session.request({ ":authority": "a.example", ...headers }))).not.toBe(0);
  expect(listener.handler.exchanges).toEqual([]);
  expect((await request(session)).body).toBe("hello");
});

test("the client's certificate is known to every stream", async () => {
  const chains = [tlsChain("a.example", { mode: "MUTUAL", clientValidation: validation() })];
  await using listener = await startListener({ chains, secrets });
  const alice = await authority.issue({ commonName: "alice", client: true });
  const socket = await openTls(listener.port, {
    servername: "a.example",
    ALPNProtocols: ["h2"],
    cert: alice.chainPem,
    key: alice.keyPem,
  });
  const session = connect("https://a.example", { createConnection: () => socket });
  await Promise.all([request(session), request(session)]);
  const [first, second] = listener.handler.exchanges.map(({ downstream }) => downstream);
  expect(first?.peerCertificate?.fingerprint).toBe(alice.fingerprintSha256Hex);
  expect(second).toBe(first);
  session.destroy();
});

test("draining sends GOAWAY, lets open streams finish and closes idle connections at once", async () => {
  await using listener = await start();
  const { handler, bound } = listener;
  const idle = openSession(listener);
  await request(idle);
  const busy = openSession(listener);
  handler.answer = () => undefined;
  const answer = request(busy);
  while (handler.exchanges.length < 2) await new Promise(setImmediate);
  const goaway = once(busy, "goaway");
  const drained = bound.drain();
  await Promise.all([once(idle, "close"), goaway]);
  respond(handler.exchanges[1] as Exchange, 200, "late");
  expect((await answer).body).toBe("late");
  await drained;
  expect(listener.connections).toEqual({ opened: 2, closed: 2 });
});

test("an exchange that closes its connection says GOAWAY with its response", async () => {
  await using listener = await start();
  await using session = openSession(listener);
  listener.handler.answer = (exchange) => {
    exchange.closesConnection = true;
    respond(exchange, 421, "elsewhere");
  };
  const gone = once(session, "close");
  expect((await request(session)).body).toBe("elsewhere");
  await gone;
});

test("an idle connection closes after its time, one that waits for an answer does not", async () => {
  await using listener = await start({ idleTimeoutMs: 60 });
  await using session = openSession(listener);
  const { handler } = listener;
  handler.answer = (exchange) => void setTimeout(() => respond(exchange, 200, "slow"), 200);
  expect((await request(session)).body).toBe("slow");
  if (!session.destroyed) await once(session, "close");
});

test("garbage after the handshake ends the connection and nothing else", async () => {
  await using listener = await start();
  const socket = await openTls(listener.port, { servername: "a.example", ALPNProtocols: ["h2"] });
  socket.on("error", () => undefined).on("data", () => undefined);
  socket.write("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n".repeat(3));
  await closed(socket);
  await using session = openSession(listener);
  expect((await request(session)).body).toBe("hello");
});

const preface = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** HEADERS with END_STREAM and END_HEADERS, every field a literal without indexing (RFC 7541, 6.2.2). */
function headersFrame(streamId: number, flat: readonly string[]): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, "latin1");
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  };
  const fields: Buffer[] = [];
  for (let i = 0; i < flat.length; i += 2) fields.push(Buffer.from([0]), text(flat[i] ?? ""), text(flat[i + 1] ?? ""));
  const block = Buffer.concat(fields);
  return Buffer.concat([Buffer.from([0, block.length >> 8, block.length & 255, 1, 5, 0, 0, 0, streamId]), block]);
}
