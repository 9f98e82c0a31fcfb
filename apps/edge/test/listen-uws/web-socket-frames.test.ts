// The frame codec between uWebSockets.js and an upstream, against the `ws` package and against rules of RFC 6455.
import type { Writable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as ws from "ws";
import { closePayload, encodeClientFrame, opcode } from "../../src/listen/uws/web-socket/frames.ts";
import { ServerFrames } from "../../src/listen/uws/web-socket/server-frames.ts";

/** The package's codec, which its types leave out. */
const { Receiver, Sender } = ws as unknown as {
  Receiver: new (options: { isServer: boolean }) => Writable;
  Sender: { frame(data: Buffer, options: Readonly<Record<string, unknown>>): Buffer[] };
};

/** What a reader understood, in order. */
function read(chunks: readonly Uint8Array[]): { events: string[]; isValid: boolean } {
  const events: string[] = [];
  let message = Buffer.alloc(0);
  const frames = new ServerFrames({
    onMessagePart: (isBinary, part, isLast) => {
      message = Buffer.concat([message, part]);
      if (!isLast) return;
      events.push(`${isBinary ? "binary" : "text"} ${message.toString("hex")}`);
      message = Buffer.alloc(0);
    },
    onPing: (payload) => events.push(`ping ${Buffer.from(payload).toString("hex")}`),
    onClose: (code, reason) => events.push(`close ${code} ${Buffer.from(reason).toString()}`),
  });
  return { events, isValid: chunks.every((chunk) => frames.push(chunk)) };
}

const frame = (first: number, payload: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from(
      payload.length < 126 ? [first, payload.length] : [first, 126, payload.length >> 8, payload.length & 255],
    ),
    payload,
  ]);

/** Cuts bytes at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...places.map((place) => place % (bytes.length + 1)), 0, bytes.length].toSorted((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

test("reads what the ws package writes, wherever the network cuts it", () => {
  const message = fc.record({
    isBinary: fc.boolean(),
    size: fc.constantFrom(0, 1, 125, 126, 65_535, 65_536, 70_000),
    parts: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 4 }), fc.array(fc.nat(), { maxLength: 6 }), (messages, places) => {
      const written: Buffer[] = [];
      const expected: string[] = [];
      for (const { isBinary, size, parts } of messages) {
        const data = Buffer.alloc(size, 0x61);
        const step = Math.ceil(size / parts);
        for (let i = 0; i < parts; i++) {
          const piece = data.subarray(i * step, i === parts - 1 ? size : (i + 1) * step);
          const code = i > 0 ? opcode.continuation : isBinary ? opcode.binary : opcode.text;
          written.push(
            ...Sender.frame(piece, { fin: i === parts - 1, opcode: code, mask: false, readOnly: true, rsv1: false }),
          );
          if (i < parts - 1) written.push(frame(0x89, Buffer.from("p")));
        }
        for (let i = 0; i < parts - 1; i++) expected.push("ping 70");
        expected.push(`${isBinary ? "binary" : "text"} ${data.toString("hex")}`);
      }
      const { events, isValid } = read(cut(Buffer.concat(written), places));
      expect(isValid).toBe(true);
      expect(events).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test.each([0, 1, 125, 126, 65_535, 65_536, 100_000])("writes %i bytes as the ws package reads them", async (size) => {
  const payload = Buffer.alloc(size, 0x5a);
  const receiver = new Receiver({ isServer: true });
  const message = new Promise<{ data: Buffer; isBinary: boolean }>((resolve, reject) => {
    receiver.on("message", (data: Buffer, isBinary: boolean) => resolve({ data, isBinary }));
    receiver.on("error", reject);
  });
  receiver.write(encodeClientFrame(opcode.binary, payload));
  const { data, isBinary } = await message;
  expect(isBinary).toBe(true);
  expect(data.equals(payload)).toBe(true);
});

test("every frame has a key of its own", () => {
  const keys = new Set(
    Array.from({ length: 3000 }, () => encodeClientFrame(opcode.text, Buffer.alloc(0)).toString("hex", 2, 6)),
  );
  expect(keys.size).toBeGreaterThan(2990);
});

test("codes that stand for none are not written", () => {
  expect(closePayload(1005, Buffer.alloc(0))).toHaveLength(0);
  expect(closePayload(1006, Buffer.alloc(0))).toHaveLength(0);
  expect(Buffer.from(closePayload(1001, Buffer.from("bye"))).toString("hex")).toBe(
    `03e9${Buffer.from("bye").toString("hex")}`,
  );
});

test("nothing is read behind a close frame", () => {
  const { events } = read([frame(0x88, Buffer.from([0x03, 0xe8])), frame(0x81, Buffer.from("late"))]);
  expect(events).toEqual(["close 1000 "]);
});

describe("is not taken:", () => {
  test.each([
    ["a masked frame", Buffer.from([0x81, 0x81, 1, 2, 3, 4, 5])],
    ["a reserved bit", frame(0xc1, Buffer.from("a"))],
    ["an unknown opcode", frame(0x83, Buffer.from("a"))],
    ["an unknown control opcode", frame(0x8b, Buffer.from("a"))],
    ["a continuation of nothing", frame(0x80, Buffer.from("a"))],
    ["a message inside a message", Buffer.concat([frame(0x01, Buffer.from("a")), frame(0x81, Buffer.from("b"))])],
    ["a ping in pieces", frame(0x09, Buffer.from("a"))],
    ["a long ping", frame(0x89, Buffer.alloc(126))],
    ["a length of two bytes that fits in one", Buffer.from([0x82, 126, 0, 5, 1, 2, 3, 4, 5])],
    ["a length of eight bytes that fits in two", Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0, 1, 0])],
    ["a length beyond all numbers", Buffer.from([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0])],
  ])("%s", (_name, bytes) => {
    expect(read([bytes]).isValid).toBe(false);
    expect(read([...bytes].map((byte) => Buffer.from([byte]))).isValid).toBe(false);
  });
});
