// Attacks on HTTP/2 with hand-made frames: each ends with its connection, before it costs memory, while others are served.
import { once } from "node:events";
import { connect } from "node:http2";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import type { Exchange } from "../../src/exchange/exchange.ts";
import { closed, openTcp, respond, startListener } from "./support.ts";

const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
const endStream = 1;
const endHeaders = 4;
const enhanceYourCalm = 11;

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** `:method: GET`, `:scheme: http`, `:path: /` by index, `:authority: a` as a literal. */
const getBlock = Buffer.from([0x82, 0x86, 0x84, 0x01, 0x01, 0x61]);
const postBlock = Buffer.from([0x83, 0x86, 0x84, 0x01, 0x01, 0x61]);

function frame(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Reads a connection to its end and remembers the error code of its GOAWAY. */
class Attacker {
  readonly socket: Socket;
  #received: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
    socket.write(Buffer.concat([preface, frame(frameType.settings, 0, 0)]));
  }

  /** Of the last GOAWAY; null without one. */
  get goawayCode(): number | null {
    let code: number | null = null;
    const bytes = this.#received;
    for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
      if (bytes[at + 3] === frameType.goaway && at + 17 <= bytes.length) code = bytes.readUInt32BE(at + 13);
    }
    return code;
  }

  /** Writes pieces until the server closes or there are none left; resolves to how many went out. */
  async flood(pieces: number, piece: (index: number) => Buffer): Promise<number> {
    for (let index = 0; index < pieces; index++) {
      if (!this.socket.writable) return index;
      if (!this.socket.write(piece(index))) {
        // One after the other is the point.
        // eslint-disable-next-line no-await-in-loop
        await Promise.race([once(this.socket, "drain").catch(() => {}), closed(this.socket)]);
      }
    }
    return pieces;
  }
}

async function isServing(port: number): Promise<boolean> {
  const client = connect(`http://127.0.0.1:${port}`);
  try {
    const stream = client.request({ ":path": "/honest" });
    stream.resume();
    const [head] = (await once(stream, "response")) as [{ ":status"?: number }];
    return head[":status"] === 200;
  } finally {
    client.destroy();
  }
}

const internalError = 2;
/** From Node 24 on nghttp2 drops PRIORITY frames unread (RFC 9113, 5.3.2), so there is nothing to count. */
const readsPriority = Number(process.versions.node.split(".")[0]) < 24;

const limits = { maxResetStreamsPerMinute: 50, maxControlFramesPerMinute: 50 };
const batch = 20;
const answerHonest = (exchange: Exchange): void => {
  if (exchange.path === "/honest") respond(exchange, 200, "ok");
};

/** Frames of `batch` streams, the first of them number `2 * batch * index + 1`. */
function batchOf(index: number, framesOf: (stream: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: batch }, (_, i) => framesOf(2 * (index * batch + i) + 1)));
}

describe("a connection is closed with ENHANCE_YOUR_CALM that", () => {
  const floods: [string, (index: number) => Buffer][] = [
    [
      "opens streams and resets them (CVE-2023-44487)",
      (index) =>
        batchOf(index, (stream) =>
          Buffer.concat([
            frame(frameType.headers, endHeaders | endStream, stream, getBlock),
            frame(frameType.reset, 0, stream, uint32(8)),
          ]),
        ),
    ],
    [
      "sends SETTINGS without end",
      () => Buffer.concat(Array.from({ length: batch }, () => frame(frameType.settings, 0, 0))),
    ],
    [
      "shuffles priorities without end",
      (index) => batchOf(index, (stream) => frame(frameType.priority, 0, stream, Buffer.from([0, 0, 0, 0, 15]))),
    ],
  ];

  const noticed = floods.filter(([name]) => readsPriority || !name.includes("priorities"));

  test.each(noticed)("%s", async (_name, piece) => {
    await using listener = await startListener({ limits });
    const { handler, refused } = listener;
    handler.answer = answerHonest;
    const attacker = new Attacker(await openTcp(listener.port));
    await attacker.flood(20_000, piece);
    await closed(attacker.socket);
    // A GOAWAY may be lost with the connection when the client still sends.
    // Newer Nodes count resets themselves, and close with INTERNAL_ERROR before our limit is reached.
    expect([enhanceYourCalm, internalError, null]).toContain(attacker.goawayCode);
    if (attacker.goawayCode !== internalError) expect(refused).toEqual(["http2_flood"]);
    expect(handler.exchanges.length).toBeLessThanOrEqual(250);
    expect(await isServing(listener.port)).toBe(true);
  });
});

describe("a connection is closed that", () => {
  const lengthOne = Buffer.concat([postBlock, Buffer.from([0x0f, 0x0d, 0x01, 0x31])]);
  test.each([
    [
      "overflowing their windows",
      postBlock,
      (stream: number) => frame(frameType.windowUpdate, 0, stream, uint32(0x7fffffff)),
    ],
    [
      "saying more than announced",
      lengthOne,
      (stream: number) => frame(frameType.data, 0, stream, Buffer.from("hello")),
    ],
  ])("makes the server reset its streams by %s (CVE-2025-8671)", async (_name, block, provoke) => {
    await using listener = await startListener({ limits });
    listener.handler.answer = answerHonest;
    const attacker = new Attacker(await openTcp(listener.port));
    await attacker.flood(2000, (index) =>
      batchOf(index, (stream) => Buffer.concat([frame(frameType.headers, endHeaders, stream, block), provoke(stream)])),
    );
    await closed(attacker.socket);
    expect(listener.handler.exchanges.length).toBeLessThan(200);
    expect(await isServing(listener.port)).toBe(true);
  });

  test("sends CONTINUATION without end (CVE-2024-27983)", async () => {
    await using listener = await startListener();
    listener.handler.answer = answerHonest;
    const attacker = new Attacker(await openTcp(listener.port));
    await attacker.flood(20_000, (index) =>
      index === 0
        ? frame(frameType.headers, endStream, 1, getBlock)
        : frame(frameType.continuation, 0, 1, Buffer.from([0x00, 0x01, 0x61, 0x01, 0x62])),
    );
    await closed(attacker.socket);
    expect(listener.handler.exchanges).toHaveLength(0);
    expect(await isServing(listener.port)).toBe(true);
  });

  test("sends empty DATA without end (CVE-2019-9518)", async () => {
    await using listener = await startListener();
    listener.handler.answer = answerHonest;
    const attacker = new Attacker(await openTcp(listener.port));
    await attacker.flood(20_000, (index) =>
      index === 0
        ? frame(frameType.headers, endHeaders, 1, postBlock)
        : Buffer.concat(Array.from({ length: batch }, () => frame(frameType.data, 0, 1))),
    );
    await closed(attacker.socket);
    expect(await isServing(listener.port)).toBe(true);
  });

  test("sends PING without end and never reads the answers (CVE-2019-9512)", async () => {
    await using listener = await startListener();
    listener.handler.answer = answerHonest;
    const socket = await openTcp(listener.port);
    const attacker = new Attacker(socket);
    socket.pause();
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(frameType.ping, 0, 0, Buffer.alloc(8))));
    const before = process.memoryUsage().rss;
    const closedByServer = new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (listener.connections.closed === 0) return;
        clearInterval(timer);
        resolve();
      }, 10);
    });
    const flood = attacker.flood(20_000, () => pings);
    await closedByServer;
    socket.destroy();
    await flood;
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
    expect(await isServing(listener.port)).toBe(true);
  });
});

test("streams beyond the limit are refused, and the others of the connection go on", async () => {
  await using listener = await startListener({ limits: { maxConcurrentStreams: 2 } });
  const begun: Exchange[] = [];
  const both = new Promise<void>((resolve) => {
    listener.handler.answer = (exchange) => {
      begun.push(exchange);
      if (begun.length === 2) resolve();
    };
  });
  const attacker = new Attacker(await openTcp(listener.port));
  await attacker.flood(1, () =>
    Buffer.concat([1, 3, 5].map((stream) => frame(frameType.headers, endHeaders | endStream, stream, getBlock))),
  );
  await both;
  expect(begun).toHaveLength(2);
  attacker.socket.destroy();
});

test("a head beyond the limit is refused before it becomes an exchange", async () => {
  await using listener = await startListener({ limits: { maxHeadBytes: 4096 } });
  const next = new Promise<Exchange>((resolve) => (listener.handler.answer = resolve));
  const attacker = new Attacker(await openTcp(listener.port));
  // A literal field `a` of 5000 bytes (RFC 7541, 5.1: 127 + 4873).
  const huge = Buffer.concat([getBlock, Buffer.from([0x00, 0x01, 0x61, 0x7f, 0x89, 0x26]), Buffer.alloc(5000, 0x62)]);
  await attacker.flood(1, () => frame(frameType.headers, endHeaders | endStream, 1, huge));
  await attacker.flood(1, () => frame(frameType.headers, endHeaders | endStream, 3, getBlock));
  expect((await next).header("a")).toBe(null);
  expect(listener.refused).toEqual(["head_too_large"]);
  attacker.socket.destroy();
});

test("a window update flood costs no memory and others are served meanwhile", async () => {
  await using listener = await startListener();
  listener.handler.answer = answerHonest;
  const attacker = new Attacker(await openTcp(listener.port));
  const updates = Buffer.concat(Array.from({ length: 1000 }, () => frame(frameType.windowUpdate, 0, 0, uint32(1))));
  const before = process.memoryUsage().rss;
  const flood = attacker.flood(100, () => updates);
  expect(await isServing(listener.port)).toBe(true);
  await flood;
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  attacker.socket.destroy();
});

test("streams that Sluice itself has to reset are nobody's flood", async () => {
  await using listener = await startListener({ limits: { maxResetStreamsPerMinute: 3 } });
  listener.handler.answer = (exchange) => {
    exchange.isResponseStarted = true;
    exchange.sendHead(200, [], 10);
    setImmediate(() => exchange.reset());
  };
  const client = connect(`http://127.0.0.1:${listener.port}`);
  const codes = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const stream = client.request({});
      stream.on("error", () => undefined).resume();
      await new Promise((resolve) => stream.once("close", resolve));
      return stream.rstCode;
    }),
  );
  expect(codes).toEqual(Array.from({ length: 10 }, () => 2));
  expect(listener.refused).toEqual([]);
  client.destroy();
});
