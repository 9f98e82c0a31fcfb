import fc from "fast-check";
import { expect, test } from "vitest";
import { packPlain, unpackPlain } from "../../src/wire/message-pack.ts";

const leaf = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    0,
    -1,
    127,
    128,
    -32,
    -33,
    -128,
    -129,
    255,
    256,
    65_535,
    65_536,
    2 ** 32,
    -(2 ** 31),
  ),
  fc.maxSafeInteger(),
  // The packer makes 0 of -0.
  fc.double({ noNaN: true }).map((number) => number + 0),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
);
// Few letters, so that texts come again.
const key = fc.string({ unit: fc.constantFrom("a", "b", "é"), maxLength: 40 });
const plain = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(key, tie("value"), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value;

/** Bytes come back as Buffers. */
function readBack(value: unknown): unknown {
  return unpackPlain(packPlain(value));
}

test("what was packed is read", () => {
  fc.assert(
    fc.property(plain, (value) => {
      expect(readBack(value)).toEqual(value);
    }),
  );
});

test("lists, maps, texts and bytes of every length are read", () => {
  for (const length of [15, 16, 31, 32, 255, 256, 65_535, 65_536]) {
    const list = Array.from({ length }, (_, index) => index);
    const map = Object.fromEntries(list.map((index) => [`key-${index}`, index]));
    const value = { list, map, text: "x".repeat(length), bytes: Buffer.alloc(length) };
    expect(readBack(value)).toEqual(value);
  }
});

test("64-bit integers and single floats are read, as other packers write them", () => {
  const bytes = Buffer.from("93cf0004000000000000d3fffc000000000000ca3fc00000", "hex");
  expect(unpackPlain(bytes)).toEqual([2 ** 50, -(2 ** 50), 1.5]);
});

test("a map cannot change its own prototype", () => {
  const bytes = Buffer.concat([Buffer.from([0x81, 0xa9]), Buffer.from("__proto__"), Buffer.from([0x80])]);
  expect(Object.getPrototypeOf(unpackPlain(bytes))).toBe(Object.prototype);
});
