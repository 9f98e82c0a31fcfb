import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeProxyHeader, proxySignature } from "../../src/exchange/proxy-header.ts";
import { parseProxyHeader, type ProxyHeaderResult } from "../../src/listen/proxy-protocol/proxy-header-parser.ts";

const invalid: ProxyHeaderResult = { kind: "refused", reason: "proxy_protocol_invalid" };
const missing: ProxyHeaderResult = { kind: "refused", reason: "proxy_protocol_missing" };
const incomplete: ProxyHeaderResult = { kind: "incomplete" };

function parse(bytes: string | Uint8Array): ProxyHeaderResult {
  return parseProxyHeader(typeof bytes === "string" ? Buffer.from(bytes, "latin1") : Buffer.from(bytes));
}

/** What a socket that delivers single bytes would come to. */
function parseBytewise(bytes: Uint8Array): ProxyHeaderResult {
  for (let length = 1; length <= bytes.length; length++) {
    const result = parse(bytes.subarray(0, length));
    if (result.kind !== "incomplete") return result;
  }
  return incomplete;
}

/** A version 2 header around a block; `length` may lie. */
function binary(command: number, family: number, block: Uint8Array, length = block.length): Buffer {
  return Buffer.concat([proxySignature, Buffer.from([command, family, length >> 8, length & 255]), block]);
}

const addresses = (source: [string, number], destination: [string, number]) => ({
  source: { address: source[0], port: source[1] },
  destination: { address: destination[0], port: destination[1] },
});

const block4 = Buffer.from([203, 0, 113, 9, 192, 0, 2, 1, 0x9c, 0x40, 0x01, 0xbb]);
const expected4 = addresses(["203.0.113.9", 40_000], ["192.0.2.1", 443]);
const block6 = Buffer.concat([
  Buffer.from("20010db8000000000000000000000001", "hex"),
  Buffer.from("00000000000000000000ffffc0000201", "hex"),
  Buffer.from([0x9c, 0x40, 0x01, 0xbb]),
]);

describe("version 1", () => {
  test.each([
    ["PROXY TCP4 203.0.113.9 192.0.2.1 40000 443\r\n", expected4],
    ["PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n", addresses(["255.255.255.255", 65_535], ["0.0.0.0", 0])],
    ["PROXY TCP6 2001:db8::1 2001:DB8::2 40000 443\r\n", addresses(["2001:db8::1", 40_000], ["2001:db8::2", 443])],
    ["PROXY TCP6 ::ffff:10.0.0.1 2001:db8:0:0::2 1 2\r\n", addresses(["10.0.0.1", 1], ["2001:db8::2", 2])],
    ["PROXY UNKNOWN\r\n", null],
    ["PROXY UNKNOWN ffff:f...f:ffff anything 65535 65535\r\n", null],
  ])("%j is read, and what follows is left", (line, expected) => {
    const result = { kind: "complete", byteLength: line.length, addresses: expected };
    expect(parse(line)).toEqual(result);
    expect(parse(`${line}GET / HTTP/1.1\r\n`)).toEqual(result);
    expect(parse(`${line}${line}`)).toEqual(result);
  });

  test.each([
    "PROXY TCP4 203.0.113.9 192.0.2.1 40000 443\n",
    "PROXY TCP4 203.0.113.9 192.0.2.1 40000 443\r\r\n",
    "PROXY TCP4 203.0.113.9 192.0.2.1 40000 443 \r\n",
    "PROXY TCP4 203.0.113.9  192.0.2.1 40000 443\r\n",
    "PROXY  TCP4 203.0.113.9 192.0.2.1 40000 443\r\n",
    "PROXY TCP4 203.0.113.9 192.0.2.1 40000\r\n",
    "PROXY TCP4 203.0.113.09 192.0.2.1 40000 443\r\n",
    "PROXY TCP4 203.0.113 192.0.2.1 40000 443\r\n",
    "PROXY TCP4 2001:db8::1 192.0.2.1 40000 443\r\n",
    "PROXY TCP6 203.0.113.9 192.0.2.1 40000 443\r\n",
    "PROXY TCP6 fe80::1%lo fe80::2 40000 443\r\n",
    "PROXY TCP4 203.0.113.9 192.0.2.1 65536 443\r\n",
    "PROXY TCP4 203.0.113.9 192.0.2.1 040 443\r\n",
    "PROXY TCP4 203.0.113.9 192.0.2.1 +40 443\r\n",
    "PROXY TCP4 203.0.113.9 192.0.2.1 4e1 443\r\n",
    "PROXY tcp4 203.0.113.9 192.0.2.1 40000 443\r\n",
    "PROXY UDP4 203.0.113.9 192.0.2.1 40000 443\r\n",
    "PROXY UNKNOWNS\r\n",
    "PROXY \r\n",
    `PROXY UNKNOWN ${"x".repeat(100)}\r\n`,
    "PROXY TCP4\t203.0.113.9 192.0.2.1 40000 443\r\n",
  ])("%j is refused", (line) => {
    const text = line.endsWith("\n") && !line.endsWith("\r\n") ? `${line}${"x".repeat(107)}` : line;
    expect(parse(text)).toEqual(invalid);
  });

  test("a line may have 107 bytes and not one more", () => {
    const longest = `PROXY UNKNOWN ${"x".repeat(91)}\r\n`;
    expect(longest).toHaveLength(107);
    expect(parse(longest)).toEqual({ kind: "complete", byteLength: 107, addresses: null });
    expect(parse(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`)).toEqual(invalid);
  });
});

describe("version 2", () => {
  test.each([
    ["TCP4", binary(0x21, 0x11, block4), expected4],
    ["TCP6", binary(0x21, 0x21, block6), addresses(["2001:db8::1", 40_000], ["192.0.2.1", 443])],
    ["TCP4 with TLVs", binary(0x21, 0x11, Buffer.concat([block4, Buffer.from([4, 0, 1, 0])])), expected4],
    ["LOCAL", binary(0x20, 0, Buffer.alloc(0)), null],
    ["LOCAL with addresses", binary(0x20, 0x11, block4), null],
    ["UNSPEC", binary(0x21, 0, Buffer.from([3, 0, 0])), null],
    ["UNIX", binary(0x21, 0x31, Buffer.alloc(216)), null],
  ])("%s is read, and what follows is left", (_name, header, expected) => {
    const result = { kind: "complete", byteLength: header.length, addresses: expected };
    expect(parse(header)).toEqual(result);
    expect(parse(Buffer.concat([header, header]))).toEqual(result);
  });

  test.each([
    ["version 1 in binary", binary(0x11, 0x11, block4)],
    ["version 3", binary(0x31, 0x11, block4)],
    ["an unknown command", binary(0x22, 0x11, block4)],
    ["datagrams", binary(0x21, 0x12, block4)],
    ["an unknown family", binary(0x21, 0x41, block4)],
    ["a block shorter than its addresses", binary(0x21, 0x11, block4, 11)],
    ["a UNIX block shorter than its paths", binary(0x21, 0x31, Buffer.alloc(216), 215)],
    ["a block beyond the bound, before it arrives", binary(0x21, 0x11, Buffer.alloc(0), 8193)],
  ])("%s is refused", (_name, header) => {
    expect(parse(header)).toEqual(invalid);
  });
});

test.each(["GET / HTTP/1.1\r\n", "\r\n\r\nGET", "\u0016\u0003\u0001", "PROXX", "proxy TCP4", "\r\n\r\n\0\r\nQUIX"])(
  "%j begins no header",
  (text) => {
    expect(parse(text)).toEqual(missing);
  },
);

test("every true beginning of a header asks for more", () => {
  for (const header of [Buffer.from("PROXY TCP4 203.0.113.9 192.0.2.1 40000 443\r\n"), binary(0x21, 0x21, block6)]) {
    for (let length = 0; length < header.length; length++)
      expect(parse(header.subarray(0, length))).toEqual(incomplete);
  }
});

const port = fc.nat({ max: 65_535 });
const endpoint4 = fc.record({ address: fc.ipV4(), port });
const endpoint6 = fc.record({ address: fc.ipV6(), port });
const version = fc.constantFrom("V1" as const, "V2" as const);

test("what is written is read again, whatever the families", () => {
  fc.assert(
    fc.property(
      version,
      fc.oneof(endpoint4, endpoint6),
      fc.oneof(endpoint4, endpoint6),
      (kind, source, destination) => {
        const header = encodeProxyHeader(kind, source, destination);
        const result = parseProxyHeader(header);
        if (result.kind !== "complete") throw new Error(`not read: ${JSON.stringify(result)}`);
        expect(result.byteLength).toBe(header.length);
        // Both versions must say the same; the text one keeps the spelling, so its reading is the reference.
        const other = parseProxyHeader(encodeProxyHeader(kind === "V1" ? "V2" : "V1", source, destination));
        expect({ ...other, byteLength: 0 }).toEqual({ ...result, byteLength: 0 });
        expect(result.addresses?.source.port).toBe(source.port);
        if (!source.address.includes(":")) expect(result.addresses?.source.address).toBe(source.address);
      },
    ),
  );
});

test("without IP addresses the header says that nothing is known", () => {
  for (const kind of ["V1", "V2"] as const) {
    const header = encodeProxyHeader(kind, { address: "", port: 0 }, { address: "127.0.0.1", port: 80 });
    expect(parse(header)).toEqual({ kind: "complete", byteLength: header.length, addresses: null });
  }
});

test("an IPv4 client of a socket for both families is written as one", () => {
  const source = { address: "::ffff:192.0.2.1", port: 1 };
  expect(encodeProxyHeader("V1", source, source).toString()).toBe("PROXY TCP4 192.0.2.1 192.0.2.1 1 1\r\n");
});

test("the zone of a link-local address stays here", () => {
  const source = { address: "fe80::1%eth0", port: 1 };
  expect(encodeProxyHeader("V1", source, source).toString()).toBe("PROXY TCP6 fe80::1 fe80::1 1 1\r\n");
});

/** Valid headers, valid beginnings with anything behind, and anything. */
const anyBytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(
      fc.constantFrom(Buffer.from("PROXY "), Buffer.from("PROXY TCP4 "), proxySignature),
      fc.uint8Array({ maxLength: 300 }),
    )
    .map(([head, rest]) => Buffer.concat([head, rest])),
  fc
    .tuple(version, endpoint4, endpoint4, fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 3 }))
    .map(([kind, source, destination, changes]) => {
      const header = encodeProxyHeader(kind, source, destination);
      for (const [at, value] of changes) if (at < header.length) header[at] = value;
      return header;
    }),
);

test("no bytes make it throw, and bytes one by one come to what the whole comes to", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      expect(parseBytewise(bytes)).toEqual(bytes.length === 0 ? incomplete : parse(bytes));
    }),
    { numRuns: Number(process.env["SLUICE_PROPERTY_RUNS"] ?? 2000) },
  );
});
