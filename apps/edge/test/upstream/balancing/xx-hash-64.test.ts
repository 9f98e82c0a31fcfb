import fc from "fast-check";
import { expect, test } from "vitest";
import { Hash64, xxHash64 } from "../../../src/upstream/balancing/xx-hash-64.ts";

/** Recorded from the reference (xxHash 0.8.3, XXH64). Chars are bytes. */
const vectors: readonly [text: string, seed: number, hash: string][] = [
  ["", 0, "ef46db3751d8e999"],
  ["a", 0, "d24ec4f1a98c6e5b"],
  ["abc", 0, "44bc2cf5ad770999"],
  ["foo", 0, "33bf00a859c4ba3f"],
  ["bar", 0, "48a37c90ad27a659"],
  ["foobar", 0, "a2aa05ed9085aaf9"],
  ["127.0.0.1:8000_0", 0, "a90d84b578c768f8"],
  ["127.0.0.1:8000_1", 0, "28ce47b51585a32b"],
  ["10.0.0.1:80_1023", 0, "03c7face44e87ad3"],
  ["0123456789abcdef", 0, "5c5b90c34e376d0b"],
  ["0123456789abcdef0123456789abcde", 0, "1fdfc63febacfde7"],
  ["0123456789abcdef0123456789abcdef", 0, "642a94958e71e6c5"],
  ["0123456789abcdef0123456789abcdefg", 0, "c8cb2dc33169df5b"],
  ["\u00ff\u0080\u0000 latin1", 0, "4a58d6fbca1ddc31"],
  ["x".repeat(100), 0, "92f0de5a88a3c094"],
  [
    "The quick brown fox jumps over the lazy dog, twice, so that it is longer than two stripes of the hash.",
    0,
    "4a50f5fa1327bba9",
  ],
  ["", 1, "d5afba1336a3be4b"],
  ["a", 1, "dec2bc81c3cd46c6"],
  ["127.0.0.1:8000_0", 1, "83d72cc7526e5ab7"],
  ["10.0.0.1:80_1023", 1, "1904e8ea5429f6a8"],
  ["0123456789abcdef0123456789abcdef", 1, "048b8b580878a4a4"],
  ["0123456789abcdef0123456789abcdefg", 1, "8f54e206016e3e50"],
  ["x".repeat(100), 1, "a27aec103fa2bdae"],
];

function hashOf(text: string, seed = 0): Hash64 {
  const hash = new Hash64();
  xxHash64(text, hash, seed);
  return hash;
}

test.each(vectors)("the hash of %j with seed %i is the reference's", (text, seed, expected) => {
  expect(hashOf(text, seed).toHex()).toBe(expected);
});

test("remainder and order are those of the whole number", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.integer({ min: 1, max: 2 ** 26 }), (left, right, divisor) => {
      const [a, b] = [hashOf(left), hashOf(right)];
      const [bigA, bigB] = [BigInt(`0x${a.toHex()}`), BigInt(`0x${b.toHex()}`)];
      expect(a.modulo(divisor)).toBe(Number(bigA % BigInt(divisor)));
      expect(BigInt(a.top53)).toBe(bigA >> 11n);
      if (bigA >> 11n !== bigB >> 11n) expect(a.top53 < b.top53).toBe(bigA < bigB);
    }),
  );
});
