import fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, it } from "vitest";
import {
  encodeFrame,
  encodeTable,
  FrameDecoder,
  maxFrameBytes,
  maxGreetingBytes,
  WireError,
} from "../../src/wire/index.ts";
import type { CommitMessage, CtrlMessage, EdgeMessage, Message, WireErrorReason } from "../../src/wire/index.ts";
import { sampleTable } from "./sample-table.ts";

const encoded = encodeTable(sampleTable());
const commit: CommitMessage = {
  type: "commit",
  version: encoded.version,
  base: null,
  put: encoded.manifest,
  remove: [],
  resources: [...encoded.resources],
};

const edgeMessages: EdgeMessage[] = [
  { type: "hello", protocol: 2, edgeId: "edge-1", productVersion: "0.1.0", version: null },
  { type: "inventory", have: ["aa", "bb"] },
  { type: "ack", version: "v", workers: [{ worker: 0, pid: 41, appliedMs: 3 }] },
  { type: "nack", version: "v", worker: null, reason: "no" },
  { type: "nack", version: "v", worker: 2, reason: "no" },
  {
    type: "status",
    workers: [{ worker: 0, pid: 41, version: "v", sinceMs: 1_700_000_000_000, appliedMs: 3 }],
    listeners: [{ name: "0.0.0.0_80", address: "0.0.0.0", port: 80, boundPort: 8080, engine: "uws" }],
  },
  { type: "alive" },
];
const ctrlMessages: CtrlMessage[] = [
  { type: "welcome", protocol: 2, ctrlUrl: "http://127.0.0.1:15010", wantsInventory: true },
  commit,
  { ...commit, base: "v", put: [], remove: [{ type: "cluster", name: "c" }], resources: [] },
  { type: "refused", reason: "3 errors" },
  { type: "alive" },
];

function frameOf(payload: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(payload.length);
  header[4] = 2;
  return Buffer.concat([header, payload]);
}

function frameOfPlain(value: unknown): Buffer {
  return frameOf(new Packr({ useRecords: false }).pack(value));
}

function expectRefusal(reason: WireErrorReason, action: () => unknown): void {
  expect(action).toThrowError(
    expect.toSatisfy((error: unknown) => error instanceof WireError && error.reason === reason),
  );
}

/** Bytes lists compare equal whether they arrive as Buffer or Uint8Array. */
function comparable(message: Message): unknown {
  if (message.type !== "commit") return message;
  return {
    ...message,
    resources: message.resources.map(([digest, bytes]) => [digest, Buffer.from(bytes).toString("hex")]),
  };
}

describe("FrameDecoder", () => {
  it("gives back every message, however the stream is cut", () => {
    const stream = Buffer.concat(edgeMessages.map(encodeFrame));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: stream.length }), { maxLength: 40 }), (cuts) => {
        const decoder = new FrameDecoder("edge");
        const bounds = [0, ...cuts.toSorted((left, right) => left - right), stream.length];
        const messages = bounds.slice(1).flatMap((end, index) => decoder.push(stream.subarray(bounds[index], end)));
        expect(messages).toStrictEqual(edgeMessages);
        expect(decoder.isIdle).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("gives back a table byte by byte", () => {
    const decoder = new FrameDecoder("ctrl");
    const messages = Array.from(Buffer.concat(ctrlMessages.map(encodeFrame))).flatMap((byte) =>
      decoder.push(Uint8Array.of(byte)),
    );
    expect(messages.map(comparable)).toStrictEqual(ctrlMessages.map(comparable));
  });

  it("is not idle inside a frame", () => {
    const decoder = new FrameDecoder("ctrl");
    const frame = encodeFrame(ctrlMessages[0] as CtrlMessage);
    for (const length of [1, 5, frame.length - 1]) {
      const cut = new FrameDecoder("ctrl");
      cut.push(frame.subarray(0, length));
      expect(cut.isIdle).toBe(false);
    }
    decoder.push(frame);
    expect(decoder.isIdle).toBe(true);
  });

  it("refuses a frame beyond the limit at its header, and everything after", () => {
    const decoder = new FrameDecoder("ctrl");
    const header = Buffer.alloc(5, 1);
    header.writeUInt32BE(maxFrameBytes + 1);
    expectRefusal("too-large", () => decoder.push(header));
    expectRefusal("too-large", () => decoder.push(encodeFrame(ctrlMessages[0] as CtrlMessage)));
  });

  it("reads no more of a peer that has not greeted than a greeting takes, and more once it has", () => {
    const [hello, inventory] = edgeMessages as [EdgeMessage, EdgeMessage];
    const long: EdgeMessage = { type: "inventory", have: ["a".repeat(maxGreetingBytes)] };
    expectRefusal("too-large", () => new FrameDecoder("edge", maxGreetingBytes).push(encodeFrame(long).subarray(0, 5)));
    const decoder = new FrameDecoder("edge", maxGreetingBytes);
    expect(decoder.push(Buffer.concat([hello, long, inventory].map(encodeFrame)))).toStrictEqual([
      hello,
      long,
      inventory,
    ]);
  });

  it("refuses an HTTP request", () => {
    expectRefusal("too-large", () => new FrameDecoder("edge").push(Buffer.from("GET / HTTP/1.1\r\n\r\n")));
  });

  it("refuses another protocol version in the frame and in the hello", () => {
    const frame = Buffer.from(encodeFrame(edgeMessages[0] as EdgeMessage));
    frame[4] = 1;
    expectRefusal("protocol-version", () => new FrameDecoder("edge").push(frame));
    const hello = { ...edgeMessages[0], protocol: 1 };
    expectRefusal("protocol-version", () => new FrameDecoder("edge").push(frameOfPlain(hello)));
  });

  it("refuses garbage of the right length", () => {
    expectRefusal("malformed", () => new FrameDecoder("edge").push(frameOf(Buffer.from([0xc1]))));
    expectRefusal("malformed", () => new FrameDecoder("edge").push(frameOf(Buffer.alloc(0))));
    expectRefusal("wrong-shape", () => new FrameDecoder("edge").push(frameOfPlain([1, 2])));
  });

  it("refuses messages it does not know, and those of the wrong end", () => {
    expectRefusal("unknown-message", () => new FrameDecoder("edge").push(frameOfPlain({ type: "toString" })));
    expectRefusal("unknown-message", () => new FrameDecoder("edge").push(encodeFrame(commit)));
    expectRefusal("unknown-message", () => new FrameDecoder("ctrl").push(encodeFrame(edgeMessages[0] as EdgeMessage)));
  });

  it("refuses every message when any of its fields is missing or null where it may not be", () => {
    for (const [sender, messages] of [
      ["edge", edgeMessages],
      ["ctrl", ctrlMessages],
    ] as const) {
      for (const message of messages) {
        for (const field of Object.keys(message).filter((key) => key !== "type")) {
          const broken = { ...message, [field]: { not: "this" } };
          expectRefusal("wrong-shape", () => new FrameDecoder(sender).push(frameOfPlain(broken)));
        }
      }
    }
  });

  it("ignores fields it does not know", () => {
    const [message] = new FrameDecoder("ctrl").push(frameOfPlain({ ...ctrlMessages[0], settings: { a: 1 } }));
    expect(message).toStrictEqual(ctrlMessages[0]);
  });

  it("refuses a commit whose manifest is not that of its version", () => {
    expectRefusal("digest-mismatch", () =>
      new FrameDecoder("ctrl").push(encodeFrame({ ...commit, put: commit.put.slice(1) })),
    );
  });

  it("never throws anything but WireError on mutilated frames", () => {
    const frame = encodeFrame(commit);
    fc.assert(
      fc.property(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), (position, flip) => {
        const mutilated = Buffer.from(frame);
        mutilated[position]! ^= flip;
        try {
          new FrameDecoder("ctrl").push(mutilated);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("encodeFrame", () => {
  it("refuses a message that the other end would refuse for its size", () => {
    const resources = [["digest", Buffer.alloc(maxFrameBytes)]] as const;
    expectRefusal("too-large", () => encodeFrame({ ...commit, resources }));
  });
});
