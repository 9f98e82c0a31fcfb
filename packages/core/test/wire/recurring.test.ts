import fc from "fast-check";
import { expect, test } from "vitest";
import { type Codec, list, object, recurring, text } from "../../src/wire/codec.ts";

const anything: Codec<unknown> = { encode: (value) => value, decode: (plain) => structuredClone(plain) };

test("equal values that follow each other are one object", () => {
  const names = list(recurring(object<{ name: string }>({ name: text })));
  const [first, second, third, fourth] = names.decode([{ name: "a" }, { name: "a" }, { name: "b" }, { name: "a" }]);
  expect(second).toBe(first);
  expect(third).toEqual({ name: "b" });
  expect(fourth).toEqual({ name: "a" });
});

// Few values and names, so that neighbours are often nearly the same.
const { value: plain } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<unknown>(null, 0, "", "a", false),
    fc.array(tie("value"), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom("a", "b"), tie("value"), { maxKeys: 2, noNullPrototype: true }),
    fc.constantFrom(new Uint8Array(0), new Uint8Array(1)),
  ),
}));

test("a value that is like the one before, but not the same, is itself", () => {
  fc.assert(
    fc.property(fc.array(plain, { minLength: 2, maxLength: 20 }), (values) => {
      expect(list(recurring(anything)).decode(values)).toEqual(values);
    }),
    { numRuns: 500 },
  );
});

test("a value that is refused is refused again", () => {
  const names = recurring(object<{ name: string }>({ name: text }));
  expect(() => names.decode({ name: 1 })).toThrow("name is not a string");
  expect(() => names.decode({ name: 1 })).toThrow("name is not a string");
});
