// Every known attack on HTTP/2 against the state machine: what bounds it, and that honest clients of the same kind are served.
import {
  block,
  data,
  flags,
  frame,
  frameType,
  get,
  getFields,
  isGoAwayFrame,
  literal,
  ping,
  post,
  reset,
  settings,
  uint32,
  update,
} from "@sluice/http2-frames";
import { type AttackName, attackOf, bombEntry, getWith } from "@sluice/http2-frames/attacks";
import { describe, expect, test } from "vitest";
import { SessionDriver, type TestStream } from "./session-driver.ts";

const calm = 11;
const { endHeaders, endStream } = flags;

/** Sends pieces until the session has had enough; how many that took, null when it never had. */
function flood(driver: SessionDriver, most: number, piece: (index: number) => Buffer): number | null {
  for (let index = 0; index < most; index++) {
    driver.receive(piece(index));
    driver.turn();
    if (driver.fault !== null) return index + 1;
  }
  return null;
}

function attack(driver: SessionDriver, most: number, name: AttackName): number | null {
  const { opening, piece } = attackOf(name);
  if (opening !== undefined) driver.receive(opening);
  return piece === null ? null : flood(driver, most, piece);
}

const answer = (stream: TestStream, driver: SessionDriver): void => driver.respond(stream, "");
const odd = (index: number): number => 2 * index + 1;

describe("ends with ENHANCE_YOUR_CALM:", () => {
  const limits: readonly (readonly [name: AttackName, limit: number])[] = [
    ["rapid reset (CVE-2023-44487)", 501],
    ["made you reset, by WINDOW_UPDATE of nothing (CVE-2025-8671)", 501],
    ["made you reset, by a window too large", 501],
    ["made you reset, by HEADERS twice", 501],
    ["made you reset, by a priority on itself", 501],
    ["malformed requests", 501],
    ["zero-length header names (CVE-2019-9516)", 501],
    ["SETTINGS (CVE-2019-9515)", 1000],
    ["empty DATA (CVE-2019-9518)", 1000],
    ["DATA of padding alone", 1000],
    ["PRIORITY (CVE-2019-9513)", 1000],
    ["WINDOW_UPDATE of the connection", 101],
    ["header-table sizes up and down", 1000],
    ["initial windows up and down", 1000],
  ];

  test.each(limits)("%s", (name, limit) => {
    const driver = SessionDriver.open(undefined, { connectionBufferBytes: 65_536 });
    const count = attack(driver, 20_000, name);
    expect(driver.fault?.code).toBe(calm);
    expect(count).toBe(limit);
    expect(driver.frames.at(-1)).toMatchObject({ type: frameType.goaway });
    // Nothing is read any more.
    const before = driver.requests.length;
    driver.receive(get(99_999));
    expect(driver.requests).toHaveLength(before);
  });

  test("an HPACK bomb (CVE-2016-6581), without being read to its end", () => {
    const driver = SessionDriver.open();
    expect(attack(driver, 10, "HPACK bombs (CVE-2016-6581)")).toBe(1);
    expect(driver.fault?.code).toBe(calm);
    expect(driver.requests.map(({ stream }) => stream)).toEqual([1]);
  });

  // What carries nothing is weighed: 13 bytes for each frame allowed in a minute, and what may be saved up.
  const allowedBytes = 13 * 1000 + 1024;
  test.each<[string, Buffer]>([
    ["PING (CVE-2019-9512)", ping()],
    ["answers to PING", ping("12345678", flags.ack)],
    ["frames of an unknown type", frame(0x20, 0, 0, Buffer.alloc(8))],
    ["large frames of an unknown type", frame(0x20, 0, 0, Buffer.alloc(16_384))],
    ["GOAWAY", frame(frameType.goaway, 0, 0, Buffer.alloc(8))],
  ])("%s", (_name, piece) => {
    const driver = SessionDriver.open();
    const count = flood(driver, 20_000, () => piece);
    expect(driver.fault?.code).toBe(calm);
    expect(count).toBe(Math.floor(allowedBytes / piece.length) + 1);
  });

  test("RST_STREAM and DATA on streams that we have reset", () => {
    for (const late of [reset(1), data(1, "late")]) {
      const driver = SessionDriver.open();
      driver.receive(get(1, [["X", "1"]]));
      expect(flood(driver, 20_000, () => late)).toBeLessThan(2000);
      expect(driver.fault?.code).toBe(calm);
    }
  });

  test.each([
    "CONTINUATION without end, small ones (CVE-2024-27983)",
    "CONTINUATION without end, empty ones",
    "CONTINUATION without end, full ones",
  ] as const)("%s", (name) => {
    const driver = SessionDriver.open();
    expect(attack(driver, 20_000, name)).toBeLessThan(20);
    expect(driver.fault?.code).toBe(calm);
    expect(driver.requests).toHaveLength(0);
  });
});

describe("is bounded without the connection's end:", () => {
  test("a list that is too large is read to its end, kept in no part, and answered with 431", () => {
    const driver = SessionDriver.open();
    // 4,000 bytes a byte.
    driver.receive(getWith(1, bombEntry, Buffer.alloc(10, 0xbe)));
    expect(driver.tooLarge).toHaveLength(1);
    expect(driver.requests).toHaveLength(0);
    driver.receive(getWith(3, Buffer.of(0xbe)));
    expect(driver.requests[0]?.fields.at(-1)).toHaveLength(4000);
    expect(driver.fault).toBe(null);
  });

  test("a header table is never larger than announced, whatever is inserted", () => {
    const driver = SessionDriver.open((stream) => answer(stream, driver));
    const count = attack(driver, 300, "header tables filled anew with every request");
    expect(count).toBe(null);
    // 4,096 bytes hold 113 entries of 36: the one before is gone.
    driver.receive(getWith(9001, Buffer.of(0xff, 0x30)));
    expect(driver.fault?.code).toBe(9);
  });

  test("a client that never reads: what waits is what one `write` was given, and its output ends", () => {
    const driver = SessionDriver.open(undefined, { streamBufferBytes: 1024 });
    driver.receive(settings([4, 0]), update(0, 1_000_000));
    for (let i = 0; i < 100; i++) driver.receive(get(odd(i)));
    for (const stream of driver.streams) {
      driver.session.sendHead(stream, { status: 200, fields: [], isLast: false });
      expect(driver.session.write(stream, Buffer.alloc(1000))).toBe(false);
    }
    expect(driver.frames.some(({ type }) => type === frameType.data)).toBe(false);
    // With room in its windows and none in the socket: heads only.
    driver.session.setBackedUp(true);
    driver.receive(settings([4, 65_535]));
    expect(driver.frames.some(({ type }) => type === frameType.data)).toBe(false);
    driver.session.setBackedUp(false);
    expect(driver.frames.filter(({ type }) => type === frameType.data)).toHaveLength(100);
    expect(driver.writableCount).toBe(100);
  });

  test("one turn gathers 256 KiB of bodies, and no more than a frame beyond", () => {
    const driver = SessionDriver.open();
    driver.receive(settings([4, 10_000_000]), update(0, 10_000_000), get(1));
    const [stream] = driver.streams;
    driver.session.sendHead(stream!, { status: 200, fields: [], isLast: false });
    expect(driver.session.write(stream!, Buffer.alloc(1_000_000))).toBe(false);
    const first = driver.session.takeOutput();
    expect(first?.length).toBeLessThan(262_144 + 2 * 16_384);
    expect(driver.session.hasMoreOutput).toBe(true);
    expect(
      driver.frames.filter(({ type }) => type === frameType.data).reduce((sum, { payload }) => sum + payload.length, 0),
    ).toBeGreaterThan(600_000);
  });

  test("streams beyond the limit are refused, and the first of them served on", () => {
    const driver = SessionDriver.open((stream) => answer(stream, driver));
    for (let i = 0; i < 150; i++) driver.receive(post(odd(i)));
    expect(driver.requests).toHaveLength(100);
    expect(driver.frames.filter(({ type }) => type === frameType.reset)).toHaveLength(50);
    driver.receive(data(1, "x", true));
    expect(driver.requests[0]?.body).toBe("x");
  });
});

describe("is no attack:", () => {
  test("a gRPC client that measures its round trip with every message", () => {
    const driver = SessionDriver.open();
    driver.receive(post(1));
    expect(flood(driver, 20_000, () => Buffer.concat([data(1, "1234567"), ping(), ping("answered", flags.ack)]))).toBe(
      null,
    );
  });

  test("a client that ends each request with an empty frame", () => {
    const driver = SessionDriver.open((stream) => answer(stream, driver));
    expect(flood(driver, 5000, (i) => Buffer.concat([post(odd(i)), data(odd(i), "x"), data(odd(i), "", true)]))).toBe(
      null,
    );
  });

  test("two WINDOW_UPDATE for each frame of an answer", () => {
    const driver = SessionDriver.open();
    driver.receive(get(1));
    const [stream] = driver.streams;
    driver.session.sendHead(stream!, { status: 200, fields: [], isLast: false });
    expect(
      flood(driver, 5000, () => {
        driver.session.write(stream!, Buffer.alloc(100));
        return Buffer.concat([update(0, 100), update(1, 100)]);
      }),
    ).toBe(null);
  });

  test("resets that are spread over time", () => {
    const driver = SessionDriver.open();
    const count = flood(driver, 5000, (i) => {
      driver.nowMs += 200;
      return Buffer.concat([get(odd(i)), reset(odd(i), 8)]);
    });
    expect(count).toBe(null);
  });

  test("what crossed our reset or our GOAWAY", () => {
    const driver = SessionDriver.open();
    driver.receive(post(1), post(3));
    driver.session.reset(driver.streams[0]!, 2);
    driver.receive(data(1, "late"), frame(frameType.headers, endHeaders | endStream, 1, literal("x", "1")));
    driver.session.drain();
    driver.session.drain();
    driver.receive(post(5));
    driver.receive(ping("draining", flags.ack));
    driver.receive(post(7), data(7, "late"), frame(frameType.headers, endHeaders | endStream, 7, literal("x", "1")));
    expect(driver.fault).toBe(null);
    expect(driver.requests.map(({ stream }) => stream)).toEqual([1, 3, 5]);
    for (const stream of driver.streams) driver.respond(stream, "");
    driver.receive(data(3, "", true), data(5, "", true));
    driver.turn();
    expect(driver.drainedCount).toBe(1);
    const goAways = driver.frames.filter(isGoAwayFrame).map(({ payload }) => payload.readUInt32BE(0));
    expect(goAways).toEqual([0x7fff_ffff, 5]);
  });
});

describe("one stream", () => {
  test("that we reset in the middle of one of its frames is reset once, and its window is given back", () => {
    const driver = SessionDriver.open(undefined, { connectionBufferBytes: 65_535 });
    driver.receive(post(1));
    driver.onPiece = (stream) => driver.session.reset(stream, 2);
    const whole = data(1, "x".repeat(10_000), true);
    driver.receive(whole.subarray(0, 5000), whole.subarray(5000));
    expect(driver.frames.filter(({ type }) => type === frameType.reset)).toHaveLength(1);
    // All of the connection's window can be used again and again.
    driver.onPiece = (stream) => driver.session.release(stream);
    for (let i = 1; i < 20; i++) driver.receive(post(odd(i)), data(odd(i), "x".repeat(16_000), true));
    expect(driver.fault).toBe(null);
  });

  test("of a tunnel goes on when we have ended, and ends with the client", () => {
    const driver = SessionDriver.open();
    driver.receive(post(1));
    const [stream] = driver.streams;
    driver.session.sendHead(stream!, { status: 200, fields: [], isLast: false });
    stream!.isTunnel = true;
    driver.session.end(stream!, []);
    driver.receive(data(1, "more"), data(1, "", true));
    expect(driver.requests[0]).toMatchObject({ body: "more", trailers: [], isReset: false });
    expect(driver.frames.some(({ type }) => type === frameType.reset)).toBe(false);
    expect(driver.session.streamCount).toBe(0);
  });

  test("may end with an empty frame when our window has shrunk below what was under way", () => {
    const driver = SessionDriver.open(undefined, { streamBufferBytes: 1000 });
    driver.onPiece = () => undefined;
    driver.receive(post(1), data(1, "x".repeat(2000)), frame(frameType.settings, flags.ack, 0));
    driver.receive(data(1, "", true));
    expect(driver.requests[0]?.trailers).toEqual([]);
    driver.receive(post(3), data(3, "x".repeat(1001)));
    expect(driver.frames.find(({ type }) => type === frameType.reset)?.payload).toEqual(uint32(3));
  });

  test("may not send more than the connection's window", () => {
    const driver = SessionDriver.open(undefined, { streamBufferBytes: 100_000, connectionBufferBytes: 65_535 });
    driver.onPiece = () => undefined;
    driver.receive(frame(frameType.settings, flags.ack, 0), post(1));
    for (let i = 0; i < 5; i++) driver.receive(data(1, "x".repeat(16_000)));
    expect(driver.fault?.code).toBe(3);
  });

  test("whose trailers are malformed, or too large, is reset", () => {
    for (const trailers of [
      literal("Upper", "1"),
      Buffer.concat(Array.from({ length: 100 }, () => literal("x", "y".repeat(120)))),
      Buffer.concat(Array.from({ length: 600 }, (_, i) => literal("x", String(i)))),
    ]) {
      const driver = SessionDriver.open(undefined, { maxHeadBytes: 4096 });
      driver.receive(post(1), frame(frameType.headers, endHeaders | endStream, 1, trailers));
      expect(driver.requests[0]).toMatchObject({ isReset: true, trailers: null });
    }
  });

  test("takes no more once the connection is gone", () => {
    const driver = SessionDriver.open();
    driver.receive(post(1));
    const [stream] = driver.streams;
    driver.session.closeAll();
    expect(driver.requests[0]?.isReset).toBe(true);
    driver.takeFrames();
    driver.respond(stream!, "late");
    driver.session.reset(stream!, 2);
    driver.session.release(stream!);
    driver.session.drain();
    driver.session.finishDrain();
    driver.session.stopReading();
    driver.session.fail(1, "again");
    expect(driver.frames).toEqual([]);
    expect(driver.fault).toBe(null);
  });

  test("under way is finished when nothing more can be read", () => {
    const driver = SessionDriver.open();
    driver.receive(get(1), frame(frameType.headers, endStream, 3, block(getFields)));
    expect(driver.session.isInHead).toBe(true);
    driver.session.stopReading();
    driver.receive(get(5));
    driver.respond(driver.streams[0]!, "late");
    driver.turn();
    expect(driver.drainedCount).toBe(1);
    expect(driver.requests).toHaveLength(1);
  });
});
