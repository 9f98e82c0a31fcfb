import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HpackDecoder } from "../../src/codec/http2/hpack/decoder.ts";
import { HpackEncoder } from "../../src/codec/http2/hpack/encoder.ts";
import { huffmanCodes } from "../../src/codec/http2/hpack/huffman-code.ts";
import { decodeHuffman, encodeHuffman, huffmanLength } from "../../src/codec/http2/hpack/huffman.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const decoder = (limits: { maxTableBytes?: number; maxListBytes?: number } = {}): HpackDecoder =>
  new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 65_536, ...limits });

const request = [":method", "GET", ":scheme", "http", ":path", "/", ":authority", "www.example.com"];
const cached = [...request, "cache-control", "no-cache"];
const custom = [
  ":method",
  "GET",
  ":scheme",
  "https",
  ":path",
  "/index.html",
  ":authority",
  "www.example.com",
  "custom-key",
  "custom-value",
];
const response = (status: string, date: string): string[] => {
  return [":status", status, "cache-control", "private", "date", date, "location", "https://www.example.com"];
};
const firstDate = "Mon, 21 Oct 2013 20:13:21 GMT";
const secondDate = "Mon, 21 Oct 2013 20:13:22 GMT";
const last = [
  ":status",
  "200",
  "cache-control",
  "private",
  "date",
  secondDate,
  "location",
  "https://www.example.com",
  "content-encoding",
  "gzip",
  "set-cookie",
  "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
];

describe("the examples of RFC 7541, appendix C", () => {
  test.each<[string, string, string[]]>([
    ["C.2.1", "400a637573746f6d2d6b65790d637573746f6d2d686561646572", ["custom-key", "custom-header"]],
    ["C.2.2", "040c2f73616d706c652f70617468", [":path", "/sample/path"]],
    ["C.2.3", "100870617373776f726406736563726574", ["password", "secret"]],
    ["C.2.4", "82", [":method", "GET"]],
  ])("%s", (_, block, fields) => {
    expect(decoder().decode(hex(block))).toEqual(fields);
  });

  test.each<[string, number, [string, string[]][]]>([
    [
      "C.3, requests without Huffman",
      4096,
      [
        ["8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", request],
        ["8286 84be 5808 6e6f 2d63 6163 6865", cached],
        ["8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", custom],
      ],
    ],
    [
      "C.4, requests with Huffman",
      4096,
      [
        ["8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", request],
        ["8286 84be 5886 a8eb 1064 9cbf", cached],
        ["8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", custom],
      ],
    ],
    [
      "C.5, responses without Huffman, with evictions",
      256,
      [
        [
          "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
          response("302", firstDate),
        ],
        ["4803 3330 37c1 c0bf", response("307", firstDate)],
        [
          "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
          last,
        ],
      ],
    ],
    [
      "C.6, responses with Huffman, with evictions",
      256,
      [
        [
          "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
          response("302", firstDate),
        ],
        ["4883 640e ffc1 c0bf", response("307", firstDate)],
        [
          "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
          last,
        ],
      ],
    ],
  ])("%s", (_, maxTableBytes, blocks) => {
    const reader = decoder({ maxTableBytes });
    for (const [block, fields] of blocks) expect(reader.decode(hex(block))).toEqual(fields);
  });
});

describe("the Huffman code", () => {
  test("is complete: every sequence of bits is the beginning of a code", () => {
    expect(huffmanCodes.reduce((sum, { bits }) => sum + 2 ** -bits, 0)).toBe(1);
    expect(huffmanCodes[256]).toEqual({ symbol: 256, bits: 30, code: 0x3fffffff });
  });

  test("gives back what it took, in as many bytes as it said", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = Buffer.from(bytes).toString("latin1");
        const target = Buffer.alloc(1000);
        const end = encodeHuffman(text, target, 3);
        expect(end - 3).toBe(huffmanLength(text));
        expect(decodeHuffman(target, 3, end)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["padding of eight ones", "1fff"],
    ["padding of zeros", "18"],
    ["the end-of-string symbol", "ffffffff"],
    ["a code that is cut off", "ffff"],
  ])("does not take %s", (_, text) => {
    expect(decodeHuffman(hex(text), 0, hex(text).length)).toBe(null);
  });
});

describe("the decoder breaks the connection for", () => {
  test.each([
    ["index 0", "80"],
    ["an index behind the static table, with nothing in the dynamic one", "be"],
    ["an index far behind everything", "ffffffff7f"],
    ["an integer that does not end", "ff"],
    ["an integer of many bytes", "ff8080808080808001"],
    ["a literal's name behind the tables", "7f0161"],
    ["a string longer than the block", "400a6162"],
    ["a string without its length", "4001"],
    ["a value that is missing", "400161"],
    ["bad Huffman padding", "4081180161"],
    ["a table larger than announced", "3fe21f"],
    ["a new table size behind a field", "8220"],
  ])("%s", (_, block) => {
    const reader = decoder();
    expect(reader.decode(hex(block))).toBe("broken");
    expect(reader.decode(hex("82"))).toBe("broken");
  });
});

describe("the decoder bounds", () => {
  test("the list while it reads, and stays in step", () => {
    const reader = decoder({ maxListBytes: 200 });
    // One field of a hundred bytes, and three references to it.
    const value = Buffer.from("a".repeat(67));
    const bomb = Buffer.concat([hex("40 01 78"), Buffer.from([value.length]), value, hex("be be be")]);
    expect(reader.decode(bomb)).toBe("too-large");
    expect(reader.decode(hex("be"))).toEqual(["x", "a".repeat(67)]);
  });

  test("the table by evicting, and by what a smaller size leaves", () => {
    const reader = decoder({ maxTableBytes: 80 });
    expect(reader.decode(hex("4001610131"))).toEqual(["a", "1"]);
    reader.decode(hex("4001620132"));
    reader.decode(hex("4001630133"));
    expect(reader.decode(hex("be bf"))).toEqual(["c", "3", "b", "2"]);
    expect(reader.decode(hex("c0"))).toBe("broken");
  });

  test("an entry larger than the table: it is read, and empties it", () => {
    const reader = decoder({ maxTableBytes: 64 });
    reader.decode(hex("4001610131"));
    const long = Buffer.from("b".repeat(60));
    const block = Buffer.concat([hex("40 01 62"), Buffer.from([long.length]), long]);
    expect(reader.decode(block)).toEqual(["b", "b".repeat(60)]);
    expect(reader.decode(hex("be"))).toBe("broken");
  });
});

interface Message {
  readonly status: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** What the peer says about its table before; null: nothing. */
  readonly tableBytes: number | null;
}

/** What one encoder writes of one message after the other, one decoder reads. */
function expectUnderstood(messages: readonly Message[]): void {
  const writer = new HpackEncoder();
  const reader = decoder({ maxTableBytes: 65_536 });
  for (const { fields, status, tableBytes } of messages) {
    if (tableBytes !== null) writer.limitTable(tableBytes);
    const expected = [...(status === 0 ? [] : [":status", String(status)]), ...fields.flat()];
    expect(reader.decode(writer.encode(status, fields.flat()))).toEqual(expected);
  }
}

describe("the encoder", () => {
  const fieldName = fc.constantFrom("content-type", "x-a", "server", "set-cookie", "date", "etag", "a", "x-request-id");
  const fieldValue = fc.oneof(
    fc.constantFrom("", "text/html", "200", "sluice", "a".repeat(600)),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  );
  const message = fc.record({
    status: fc.constantFrom(200, 204, 302, 404, 503, 0),
    fields: fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 8 }),
    tableBytes: fc.option(fc.constantFrom(0, 40, 100, 4096, 65_536), { nil: null, freq: 5 }),
  });

  test("writes what a decoder reads, whatever the peer allows", () => {
    fc.assert(fc.property(fc.array(message, { maxLength: 20 }), expectUnderstood), { numRuns: 1000 });
  });

  /** Heads as answers have them: the same names in the same places, of which some have another value each time. */
  const answer = fc.record({
    status: fc.constantFrom(0, 200, 200, 404),
    fields: fc
      .tuple(
        ...["server", "date", "x-envoy-upstream-service-time", "set-cookie", "etag", "x-a", "content-length"].map(
          (name) =>
            fc.option(fc.tuple(fc.constant(name), fc.constantFrom("", "0", "1", "same", "x".repeat(600))), {
              nil: null,
              freq: 8,
            }),
        ),
      )
      .map((fields) => fields.filter((field) => field !== null)),
    tableBytes: fc.option(fc.constantFrom(0, 100, 4096), { nil: null, freq: 10 }),
  });

  test("remembers by place how it wrote a field, and is understood all the same", () => {
    fc.assert(fc.property(fc.array(answer, { maxLength: 30 }), expectUnderstood), { numRuns: 1000 });
  });

  test("needs two bytes for what it has written before", () => {
    const writer = new HpackEncoder();
    const fields = ["content-type", "text/html", "server", "sluice"];
    writer.encode(200, fields);
    expect([...writer.encode(200, fields)]).toEqual([0x88, 0xbf, 0xbe]);
  });

  test("never puts a credential into a table", () => {
    const writer = new HpackEncoder();
    const once = [...writer.encode(200, ["set-cookie", "sid=secret"])];
    expect((once[1] ?? 0) & 0xf0).toBe(0x10);
    expect([...writer.encode(200, ["set-cookie", "sid=secret"])]).toEqual(once);
  });

  test("keeps no more in mind than its table holds", () => {
    const writer = new HpackEncoder();
    const reader = decoder();
    for (let i = 0; i < 5000; i++) {
      expect(reader.decode(writer.encode(200, ["x-a", String(i)]))).toEqual([":status", "200", "x-a", String(i)]);
    }
    writer.limitTable(0);
    expect([...writer.encode(200, [])]).toEqual([0x20, 0x88]);
  });

  test("announces the smallest size in between, then the last", () => {
    const writer = new HpackEncoder();
    writer.limitTable(0);
    writer.limitTable(100);
    expect([...writer.encode(200, [])]).toEqual([0x20, 0x3f, 69, 0x88]);
  });
});
