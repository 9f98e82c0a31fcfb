// How answers leave: windows, turns, frames that are cut, and what is given back to clients for what they sent.
import { data, flags, frame, type Frame, frameType, get, post, reset, settings, update } from "@sluice/http2-frames";
import { expect, test } from "vitest";
import { HpackDecoder } from "../../src/codec/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../src/codec/http2/hpack/encoder.ts";
import { isPooled } from "../../src/codec/pooled-buffer.ts";
import { SessionDriver, type TestStream } from "./session-driver.ts";

const dataOf = (frames: readonly Frame[], stream: number) =>
  frames.filter((sent) => sent.type === frameType.data && sent.stream === stream);
const lengthOf = (frames: readonly Frame[]) => frames.reduce((sum, { payload }) => sum + payload.length, 0);

/** A session with this many GETs, their heads answered. */
function answered(
  count: number,
  ...before: readonly Buffer[]
): { driver: SessionDriver; streams: readonly TestStream[] } {
  const driver = SessionDriver.open();
  driver.receive(...before, ...Array.from({ length: count }, (_, i) => get(2 * i + 1)));
  for (const stream of driver.streams) driver.session.sendHead(stream, { status: 200, fields: [], isLast: false });
  driver.takeFrames();
  return { driver, streams: driver.streams };
}

test("a small answer does not wait for a large one: a frame each in turn", () => {
  const { driver, streams } = answered(2, settings([4, 1_000_000]));
  const [large, small] = streams;
  driver.session.write(large!, Buffer.alloc(200_000));
  driver.session.end(large!, []);
  expect(driver.session.write(small!, Buffer.alloc(20_000))).toBe(false);
  driver.session.end(small!, ["x-t", "1"]);
  expect(lengthOf(driver.takeFrames().filter(({ type }) => type === frameType.data))).toBe(65_535);
  driver.receive(update(0, 1_000_000));
  const frames = driver.takeFrames().filter(({ type }) => type <= frameType.headers);
  expect(frames.slice(0, 4).map(({ stream }) => stream)).toEqual([1, 3, 1, 3]);
  expect(frames.find(({ stream, type }) => stream === 3 && type === frameType.headers)?.flags).toBe(
    flags.endHeaders | flags.endStream,
  );
  expect(frames.at(-1)).toMatchObject({ stream: 1, flags: flags.endStream });
  expect(lengthOf(dataOf(frames, 1)) + lengthOf(dataOf(frames, 3))).toBe(220_000 - 65_535);
  expect(driver.session.streamCount).toBe(0);
});

test("what waited on a stream that is reset does not hold up the others", () => {
  const { driver, streams } = answered(2, settings([4, 1_000_000]));
  for (const stream of streams) driver.session.write(stream, Buffer.alloc(100_000));
  driver.takeFrames();
  driver.receive(reset(1), update(0, 1_000_000));
  const frames = driver.takeFrames();
  expect(dataOf(frames, 1)).toEqual([]);
  expect(lengthOf(dataOf(frames, 3))).toBe(100_000);
  expect(driver.writableCount).toBe(1);
});

test("a window that is taken back stops what waits for the connection's", () => {
  const { driver, streams } = answered(1, settings([4, 100_000]));
  driver.session.write(streams[0]!, Buffer.alloc(90_000));
  driver.takeFrames();
  driver.receive(settings([4, 65_535]), update(0, 100_000));
  expect(dataOf(driver.takeFrames(), 1)).toEqual([]);
  driver.receive(update(1, 24_465));
  expect(lengthOf(dataOf(driver.takeFrames(), 1))).toBe(24_465);
});

test("a head larger than a frame leaves in as many as it needs, and larger ones where they may be", () => {
  const long = ["x-long", "~".repeat(40_000)];
  const driver = SessionDriver.open();
  driver.receive(get(1), settings([5, 100_000]));
  driver.session.sendHead(driver.streams[0]!, { status: 200, fields: long, isLast: true });
  driver.receive(settings([5, 16_384]), get(3));
  driver.session.sendHead(driver.streams[1]!, { status: 200, fields: long, isLast: true });
  const frames = driver.frames.filter(({ stream }) => stream > 0);
  expect(frames.map(({ type, flags: flag }) => [type, flag])).toEqual([
    [frameType.headers, flags.endHeaders | flags.endStream],
    [frameType.headers, flags.endStream],
    [frameType.continuation, 0],
    [frameType.continuation, flags.endHeaders],
  ]);
});

test("windows are given back by what was used, also of streams that have ended", () => {
  const driver = SessionDriver.open(undefined, { connectionBufferBytes: 65_535, streamBufferBytes: 65_535 });
  driver.onPiece = () => undefined;
  driver.receive(frame(frameType.settings, flags.ack, 0), post(1), data(1, "x".repeat(16_000)));
  driver.receive(data(1, "x".repeat(16_000)), data(1, "x".repeat(16_000)));
  const updates = () => driver.takeFrames().filter(({ type }) => type === frameType.windowUpdate);
  expect(updates()).toEqual([]);
  driver.session.release(driver.streams[0]!);
  expect(updates().map(({ stream, payload }) => [stream, payload.readUInt32BE(0)])).toEqual([
    [0, 48_000],
    [1, 48_000],
  ]);
  // A frame with padding that is used up when the stream has ended.
  driver.receive(
    frame(frameType.data, flags.padded | flags.endStream, 1, Buffer.concat([Buffer.of(200), Buffer.alloc(16_000)])),
  );
  driver.receive(post(3), data(3, "x".repeat(16_000)), data(3, "x".repeat(10_000)));
  driver.session.release(driver.streams[0]!);
  driver.receive(reset(3));
  driver.session.release(driver.streams[1]!);
  expect(updates().map(({ stream }) => stream)).toEqual([0]);
});

test("a string of many kilobytes is decoded from Huffman code", () => {
  const decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 100_000 });
  const value = "a/b".repeat(10_000);
  expect(decoder.decode(Buffer.from(new HpackEncoder().encode(0, ["x", value])))).toEqual(["x", value]);
});

test("what slow streams hold does not stop the others: the less is left of the connection's window, the sooner it is given back", () => {
  const driver = SessionDriver.open(undefined, { connectionBufferBytes: 65_535, streamBufferBytes: 65_535 });
  driver.onPiece = () => undefined;
  driver.receive(frame(frameType.settings, flags.ack, 0));
  // Three quarters of the window belong to a request that nobody reads.
  driver.receive(post(1), ...Array.from({ length: 3 }, () => data(1, "x".repeat(16_000))));
  driver.onPiece = (stream) => driver.session.release(stream);
  driver.receive(post(3));
  let [left, sent] = [65_535 - 48_000, 0];
  driver.takeFrames();
  while (left > 0 && sent < 1_000_000) {
    const bytes = Math.min(left, 10_000);
    driver.receive(data(3, "x".repeat(bytes)));
    sent += bytes;
    const given = driver.takeFrames().filter(({ type, stream }) => type === frameType.windowUpdate && stream === 0);
    left += given.reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0) - bytes;
  }
  expect(sent).toBeGreaterThanOrEqual(1_000_000);
  expect(driver.fault).toBe(null);
});

test("an answer that is complete and does not move is given up; one that moves is not, nor one that is not complete", () => {
  const limitMs = 1000;
  const { driver, streams } = answered(3, settings([4, 100]));
  const [stuck, moving, incomplete] = streams;
  for (const stream of streams) driver.session.write(stream, Buffer.alloc(5000));
  for (const stream of [stuck!, moving!]) driver.session.end(stream, []);
  const look = (nowMs: number): boolean => driver.session.resetStalled(nowMs, limitMs);
  expect([look(1), look(limitMs)]).toEqual([false, false]);
  driver.receive(update(3, 1));
  driver.takeFrames();
  expect(look(limitMs + 1)).toBe(true);
  expect(driver.takeFrames().map(({ type, stream }) => [type, stream])).toEqual([[frameType.reset, 1]]);
  expect(driver.requests.map(({ isReset }) => isReset)).toEqual([true, false, false]);
  expect(look(10 * limitMs)).toBe(true);
  expect(driver.requests.map(({ isReset }) => isReset)).toEqual([true, true, false]);
  driver.receive(update(incomplete!.id, 10_000));
  expect(lengthOf(dataOf(driver.takeFrames(), incomplete!.id))).toBe(4900);
});

test("GOAWAY never names a later stream than before", () => {
  const driver = SessionDriver.open();
  driver.receive(post(1));
  driver.session.stopAccepting();
  driver.receive(get(3), update(0, 0));
  const named = driver.frames
    .filter(({ type }) => type === frameType.goaway)
    .map(({ payload }) => payload.readUInt32BE(0));
  expect(named).toEqual([1, 1]);
});

test("what has been used is given back although others hold the rest of the connection's window", () => {
  const limits = { connectionBufferBytes: 65_535, streamBufferBytes: 65_535 };
  const driver = SessionDriver.open(undefined, limits);
  driver.receive(frame(frameType.settings, flags.ack, 0));
  driver.takeFrames();
  driver.onPiece = (stream) => {
    if (stream.id === 1) driver.session.release(stream);
  };
  driver.receive(post(1), data(1, "x".repeat(16_000)), data(1, "x".repeat(14_000)));
  driver.receive(post(3), data(3, "x".repeat(16_000)), data(3, "x".repeat(16_000)), data(3, "x".repeat(3_535)));
  const updates = driver.takeFrames().filter(({ type, stream }) => type === frameType.windowUpdate && stream === 0);
  expect(updates.map(({ payload }) => payload.readUInt32BE(0))).toEqual([30_000]);
});

test("heads of a turn do not hold a large buffer, should the client not take them", () => {
  const driver = SessionDriver.open();
  driver.session.takeOutput();
  for (let id = 1; id < 200; id += 2) driver.receive(get(id));
  const fields = ["location", "~".repeat(60)];
  for (const stream of driver.streams) driver.session.sendHead(stream, { status: 302, fields, isLast: true });
  const output = driver.session.takeOutput();
  if (output === null) throw new Error("nothing is sent");
  expect(output.length).toBeGreaterThan(4096);
  expect(isPooled(output)).toBe(false);
});
