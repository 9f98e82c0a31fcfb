// What only our own codec does with connections: crumbs of a body, clients that do not take what they asked for, slow ones that do.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { frame, frameType, uint32 } from "@sluice/http2-frames";
import { createAuthority } from "@sluice/demo/certificates";
import { describe, expect, test } from "vitest";
import { Attacker, endHeaders, endStream, getBlock, postBlock } from "../../../../test/support/http2-attacker.ts";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { endWithoutProgress } from "../../src/listen/node/own/farewell.ts";
import {
  openTcp,
  openTls,
  readUntil,
  respond,
  serverSecret,
  startListener,
  TestHandler,
  tlsChain,
  useCodec,
} from "./support.ts";

useCodec("own");

const authority = await createAuthority({ commonName: "root" });
const secrets = [serverSecret("server", await authority.issue({ commonName: "server", dnsNames: ["a.example"] }))];

const get = (stream: number): Buffer => frame(frameType.headers, endHeaders | endStream, stream, getBlock);
const post = (stream: number): Buffer => frame(frameType.headers, endHeaders, stream, postBlock);
const crumb = (stream: number): Buffer => frame(frameType.data, 0, stream, Buffer.of(0x61));
const repeat = (count: number, make: () => Buffer): Buffer => Buffer.concat(Array.from({ length: count }, make));

/** Remembers the sizes of the pieces that requests came in. */
class CountingHandler extends TestHandler {
  readonly pieces: number[] = [];
  pausesAtOnce = false;

  override onRequest(exchange: Exchange): void {
    super.onRequest(exchange);
    if (this.pausesAtOnce) exchange.pauseBody();
  }

  override onRequestData(exchange: Exchange, chunk: Uint8Array): void {
    this.pieces.push(chunk.length);
    super.onRequestData(exchange, chunk);
  }
}

function bytesOf(pieces: readonly number[]): number {
  return pieces.reduce((sum, bytes) => sum + bytes, 0);
}

describe("frames of one byte", () => {
  test("that come in one read are handed on in one piece, before the request's end", async () => {
    const handler = new CountingHandler();
    handler.answer = () => undefined;
    await using listener = await startListener({ handler });
    const attacker = new Attacker(await openTcp(listener.port));
    const ended = once(handler.events, "end");
    const body = repeat(2000, () => crumb(1));
    attacker.socket.write(Buffer.concat([post(1), body, frame(frameType.data, endStream, 1)]));
    const [exchange] = (await ended) as [Exchange];
    expect([bytesOf(handler.pieces), exchange.bytesReceived]).toEqual([2000, 2000]);
    expect(handler.pieces.length).toBeLessThan(20);
    attacker.socket.destroy();
  });

  test("as chunks of HTTP/1.1 are handed on in one piece a read as well", async () => {
    const handler = new CountingHandler();
    handler.answer = () => undefined;
    await using listener = await startListener({ handler });
    const socket = await openTcp(listener.port);
    const ended = once(handler.events, "end");
    socket.write(`POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${"1\r\na\r\n".repeat(2000)}`);
    await expect.poll(() => bytesOf(handler.pieces)).toBe(2000);
    expect(handler.pieces.length).toBeLessThan(20);
    socket.write(`2\r\nab\r\n1000\r\n${"x".repeat(0x1000)}\r\n0\r\n\r\n`);
    const [exchange] = (await ended) as [Exchange];
    expect(exchange.bytesReceived).toBe(2000 + 2 + 0x1000);
    socket.destroy();
  });

  test("that nobody wants yet are kept in one piece", async () => {
    const handler = new CountingHandler();
    handler.pausesAtOnce = true;
    handler.answer = () => undefined;
    await using listener = await startListener({ handler });
    const attacker = new Attacker(await openTcp(listener.port));
    attacker.socket.write(
      Buffer.concat([post(1), repeat(30_000, () => crumb(1)), frame(frameType.ping, 0, 0, Buffer.alloc(8))]),
    );
    await expect.poll(() => attacker.frames.some(({ type }) => type === frameType.ping)).toBe(true);
    expect(handler.pieces).toEqual([]);
    handler.exchanges[0]?.resumeBody();
    expect(handler.pieces).toEqual([30_000]);
    attacker.socket.destroy();
  });
});

describe("a client that asks and does not take the answer", () => {
  test("for want of a window loses its stream when nothing has moved for streamIdleTimeout", async () => {
    await using listener = await startListener({ limits: { streamIdleTimeoutMs: 20 } });
    const attacker = new Attacker(await openTcp(listener.port), Buffer.concat([Buffer.of(0, 4), uint32(0)]));
    attacker.socket.write(get(1));
    await expect.poll(() => attacker.frames.find(({ type }) => type === frameType.reset)?.code).toBe(8);
    expect(attacker.goawayCode).toBe(null);
    attacker.socket.destroy();
  });

  test.each<[string, Buffer, (count: number) => string | Buffer]>([
    ["HTTP/1.1", Buffer.alloc(0), () => "GET / HTTP/1.1\r\nhost: a\r\n\r\n"],
    [
      "HTTP/2",
      Buffer.concat([
        Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        frame(frameType.settings, 0, 0, Buffer.concat([Buffer.of(0, 4), uint32(0x7fff_ffff)])),
        frame(frameType.windowUpdate, 0, 0, uint32(0x7fff_0000)),
      ]),
      (count) => get(2 * count + 1),
    ],
  ])("from its socket loses its connection, over %s", async (_name, opening, request) => {
    await using listener = await startListener({ limits: { streamIdleTimeoutMs: 20 } });
    listener.handler.answer = (exchange) => respond(exchange, 200, "x".repeat(16_000_000));
    const socket = await openTcp(listener.port);
    socket.on("error", () => undefined).pause();
    socket.write(opening);
    socket.write(request(0));
    await expect.poll(() => listener.connections.closed, { timeout: 10_000 }).toBe(1);
    socket.destroy();
  });
});

describe("a client that does not take the end of what it was sent, and goes on talking", () => {
  const large = "x".repeat(16_000_000);

  test("loses its connection as if it were silent, when it could have asked again", async () => {
    await using listener = await startListener({ limits: { streamIdleTimeoutMs: 100 } });
    listener.handler.answer = (exchange) => respond(exchange, 200, large);
    const socket = await openTcp(listener.port);
    socket.on("error", () => undefined).pause();
    socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000000\r\n\r\nx");
    const talking = setInterval(() => socket.write("x"), 20);
    await expect.poll(() => listener.connections.closed, { timeout: 20_000 }).toBe(1);
    clearInterval(talking);
    socket.destroy();
  });

  test("loses it behind the last answer, too", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined).resume();
      socket.end(large);
      endWithoutProgress(socket, 100);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const connected = once(server, "connection");
    const client = await openTcp((server.address() as AddressInfo).port);
    client.on("error", () => undefined).pause();
    const talking = setInterval(() => client.write("x"), 20);
    const [socket] = (await connected) as [Socket];
    await once(socket, "close");
    clearInterval(talking);
    client.destroy();
    server.close();
  });
});

describe("an answer that its client takes slowly arrives whole", () => {
  /** What comes, at a pace at which more than a second passes before the end. */
  async function readSlowly(socket: Socket): Promise<number> {
    let bytes = 0;
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      socket.pause();
      setTimeout(() => socket.resume(), 15);
    });
    await once(socket, "close");
    return bytes;
  }

  test.concurrent.each<[string, string]>([
    ["as the last of its connection", "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"],
    ["before the end of its request", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\nconnection: close\r\n\r\nx"],
  ])("%s", async (_name, request) => {
    const length = 12_000_000;
    await using listener = await startListener();
    listener.handler.answer = (exchange) => respond(exchange, 200, "x".repeat(length));
    const socket = await openTcp(listener.port);
    socket.write(request);
    expect(await readSlowly(socket)).toBeGreaterThan(length);
  });
});

test("a request whose head has begun when the listener drains is answered, and is the last", async () => {
  await using listener = await startListener();
  const socket = await openTcp(listener.port);
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\nGET / HT");
  await readUntil(socket, "hello");
  const drained = listener.bound.drain();
  socket.write("TP/1.1\r\nhost: a\r\n\r\n");
  const answer = await readUntil(socket, "hello");
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer).toContain("connection: close");
  await drained;
});

describe("over HTTP/2", () => {
  test("heads that end in time are no head that never ends, however many there are", async () => {
    await using listener = await startListener({ limits: { requestHeadTimeoutMs: 1000 } });
    const socket = await openTcp(listener.port);
    const attacker = new Attacker(socket);
    // Each read ends in the middle of a head, and completes the one before.
    let rest: Buffer = Buffer.alloc(0);
    for (let i = 0; i < 30; i++) {
      const head = get(2 * i + 1);
      socket.write(Buffer.concat([rest, head.subarray(0, 12)]));
      rest = head.subarray(12);
      // eslint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    socket.write(rest);
    await expect.poll(() => listener.handler.exchanges.length).toBe(30);
    expect(attacker.goawayCode).toBe(null);
    expect(listener.refused).toEqual([]);
    socket.destroy();
  });
});

describe("answers that leave at the end of the turn", () => {
  const request = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;
  /** By the path: so many bytes of its last letter. */
  const answerBySize = (exchange: Exchange): void => {
    const [, size = "", letter = ""] = exchange.path.split("/");
    respond(exchange, 200, letter.repeat(Number(size)));
  };
  const bodiesOf = (received: string): string[] =>
    [...received.matchAll(/\r\n\r\n([a-z]*)/g)].map(([, body = ""]) => `${body.length} ${body[0] ?? ""}`);

  test("stay in order, whatever their size", async () => {
    const handler = new TestHandler();
    handler.answer = answerBySize;
    await using listener = await startListener({ handler });
    const socket = await openTcp(listener.port);
    const sizes = [5, 4096, 4097, 100_000, 0, 20_000, 20_000, 300_000, 1];
    socket.write(
      sizes.map((size, index) => request(`/${size}/${"abcdefghi"[index] ?? ""}`)).join("") + request("/2/z"),
    );
    const received = await readUntil(socket, "\r\n\r\nzz");
    expect(bodiesOf(received)).toEqual([
      ...sizes.map((size, index) => `${size} ${size === 0 ? "" : ("abcdefghi"[index] ?? "")}`),
      "2 z",
    ]);
    socket.destroy();
  });

  test("are there before a refusal, an upgrade's answer and the end of a drained connection", async () => {
    const handler = new TestHandler();
    handler.answer = (exchange) => {
      if (exchange.upgrade === null) answerBySize(exchange);
      else respond(exchange, 403, "no");
    };
    await using listener = await startListener({ handler });
    const refused = await openTcp(listener.port);
    refused.write(`${request("/3/a")}GET / HTTP/1.1\r\nhost : a\r\n\r\n`);
    expect(await readUntil(refused, "HTTP/1.1 400")).toMatch(/^HTTP\/1\.1 200 [^]*aaaHTTP\/1\.1 400/);
    const upgraded = await openTcp(listener.port);
    upgraded.write(
      `${request("/3/b")}GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    );
    expect(await readUntil(upgraded, "HTTP/1.1 403")).toMatch(/^HTTP\/1\.1 200 [^]*bbbHTTP\/1\.1 403/);
    handler.answer = (exchange) => {
      answerBySize(exchange);
      void listener.bound.drain();
    };
    const drained = await openTcp(listener.port);
    const whole = once(drained, "end");
    let received = "";
    drained.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
    drained.write(request("/3/c"));
    await whole;
    expect(received.endsWith("ccc")).toBe(true);
  });
});

describe("what a connection keeps of a read", () => {
  /** Answers with the request's target, but nobody before `go`. */
  function waiting(): { readonly handler: TestHandler; readonly go: () => void } {
    const handler = new TestHandler();
    const held: Exchange[] = [];
    handler.answer = (exchange) => {
      if (exchange.target === "/first") held.push(exchange);
      else respond(exchange, 200, exchange.target);
    };
    return { handler, go: () => held.forEach((exchange) => respond(exchange, 200, exchange.target)) };
  }

  /** A connection that has been served: what comes first of all was read before it was known which version it speaks. */
  async function served(port: number): Promise<Socket> {
    const socket = await openTcp(port);
    socket.write("GET /served HTTP/1.1\r\nhost: a\r\n\r\n");
    await readUntil(socket, "/served");
    return socket;
  }

  /** Another client whose bytes come into the same memory. */
  async function overwrite(port: number): Promise<void> {
    const socket = await served(port);
    socket.write(`GET /${"o".repeat(4000)} HTTP/1.1\r\nhost: other\r\n\r\n`);
    await readUntil(socket, "ooo");
    socket.destroy();
  }

  test("is its own: a pipelined request", async () => {
    const { handler, go } = waiting();
    await using listener = await startListener({ handler });
    const socket = await served(listener.port);
    socket.write("GET /first HTTP/1.1\r\nhost: a\r\n\r\nGET /second HTTP/1.1\r\nhost: a\r\n\r\n");
    await expect.poll(() => handler.exchanges.length).toBe(2);
    await overwrite(listener.port);
    go();
    expect(await readUntil(socket, "/second")).toContain("/first");
    socket.destroy();
  });

  test("is its own: half a head, and half a frame", async () => {
    const { handler } = waiting();
    await using listener = await startListener({ handler });
    const socket = await served(listener.port);
    socket.write("GET /halves HTT");
    const attacker = new Attacker(await openTcp(listener.port));
    attacker.socket.write(get(1));
    await expect.poll(() => handler.exchanges.at(-1)?.protocol).toBe("HTTP/2");
    const head = get(3);
    attacker.socket.write(head.subarray(0, head.length - 3));
    await overwrite(listener.port);
    socket.write("P/1.1\r\nhost: a\r\n\r\n");
    expect(await readUntil(socket, "/halves")).toContain("200 OK");
    attacker.socket.write(head.subarray(-3));
    await expect
      .poll(() => handler.exchanges.map(({ protocol }) => protocol).filter((name) => name === "HTTP/2").length)
      .toBe(2);
    socket.destroy();
    attacker.socket.destroy();
  });
});

describe.each(["tcp", "tls"] as const)("a client that leaves over %s while its body is not wanted", (transport) => {
  async function open(port: number): Promise<Socket> {
    return transport === "tcp" ? openTcp(port) : openTls(port, { servername: "a.example" });
  }

  test.each([
    ["with its whole body sent", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello"],
    ["with a part of it sent", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 50\r\n\r\nhello"],
    ["with another request behind", "GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n"],
  ])("is noticed: %s", async (_, text) => {
    const handler = new CountingHandler();
    handler.pausesAtOnce = true;
    handler.answer = () => undefined;
    const chains = transport === "tcp" ? {} : { chains: [tlsChain("a.example", { alpn: [] })], secrets };
    await using listener = await startListener({ handler, ...chains });
    const socket = await open(listener.port);
    const aborted = once(handler.events, "abort");
    socket.write(text);
    await expect.poll(() => handler.exchanges.length).toBe(1);
    socket.destroy();
    expect((await aborted)[0]).toBe(handler.exchanges[0]);
  });
});
