// Small building blocks that describe a shape once and use it both ways: to encode with a fixed key order, and to check while decoding.
import { knownText } from "./known-texts.ts";
import { WireError } from "./wire-error.ts";

/** Encodes values of a type into plain data, and checks plain data back into the type. */
export interface Codec<Type> {
  /** Plain data: objects, arrays, strings, numbers, booleans, null, bytes. */
  encode(value: Type): unknown;
  /** Returns a fresh value that holds known fields only. Throws `WireError` (`wrong-shape`) naming the field. */
  decode(value: unknown): Type;
}

/** A field that is not what it should be. The place grows as the error climbs out: `clusters[0].weight is not a positive number`. */
export class ShapeMismatch extends WireError {
  readonly claim: string;
  readonly place: string;

  constructor(claim: string, place = "") {
    super("wrong-shape", place === "" ? claim : `${place} ${claim}`);
    this.claim = claim;
    this.place = place;
  }
}

/** The error with one more step in front of its place. */
function placed(error: unknown, step: string): unknown {
  if (!(error instanceof ShapeMismatch)) return error;
  const separator = error.place === "" || error.place.startsWith("[") ? "" : ".";
  return new ShapeMismatch(error.claim, `${step}${separator}${error.place}`);
}

function expected<Type>(what: string, accepts: (value: unknown) => value is Type): Codec<Type> {
  return {
    encode: (value) => value,
    decode(value) {
      if (accepts(value)) return value;
      throw new ShapeMismatch(`is not ${what}`);
    },
  };
}

/** A table says the same names again and again: the text read before is given again, so that it is held once. */
export const text: Codec<string> = {
  encode: (value) => value,
  decode(value) {
    if (typeof value !== "string") throw new ShapeMismatch("is not a string");
    return knownText(value);
  },
};
export const flag = expected("a boolean", (value) => typeof value === "boolean");
export const integer = expected("an integer", (value): value is number => Number.isSafeInteger(value));
export const count = expected("an integer of 0 or more", (value): value is number => {
  return Number.isSafeInteger(value) && (value as number) >= 0;
});
export const positive = expected("a positive number", (value): value is number => {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
});
export const percentage = expected("a number from 0 to 100", (value): value is number => {
  return typeof value === "number" && value >= 0 && value <= 100;
});
export const port = expected("a port", (value): value is number => {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535;
});
export const bytes = expected("bytes", (value): value is Uint8Array => value instanceof Uint8Array);

/** Bytes that are kept: a copy, so that the message they came in can be let go. */
export const ownBytes: Codec<Uint8Array> = {
  encode: (value) => value,
  decode: (value) => Uint8Array.from(bytes.decode(value)),
};

/** One of a few words: decoded, the word that is given here, so that ten thousand routes do not hold ten thousand copies of `prefix`. */
export function oneOf<const Word extends string>(...words: readonly Word[]): Codec<Word> {
  return {
    encode: (value) => value,
    decode(value) {
      const word = words[words.indexOf(value as Word)];
      if (word === undefined) throw new ShapeMismatch(`is not one of ${words.join(", ")}`);
      return word;
    },
  };
}

export function nullable<Type>(codec: Codec<Type>): Codec<Type | null> {
  return {
    encode: (value) => (value === null ? null : codec.encode(value)),
    decode: (value) => (value === null ? null : codec.decode(value)),
  };
}

/** Every list without items: most lists of a table are. */
const emptyList: readonly never[] = Object.freeze([]);

export function list<Type>(codec: Codec<Type>): Codec<readonly Type[]> {
  return {
    encode: (value) => value.map((item) => codec.encode(item)),
    decode(value) {
      if (!Array.isArray(value)) throw new ShapeMismatch("is not a list");
      if (value.length === 0) return emptyList;
      // `map` makes the list as long as it has to be; the first `push` would make room for 17.
      return value.map((item, index) => {
        try {
          return codec.decode(item);
        } catch (error) {
          throw placed(error, `[${index}]`);
        }
      });
    },
  };
}

export function nonEmpty<Type>(codec: Codec<readonly Type[]>): Codec<readonly Type[]> {
  return {
    encode: (items) => codec.encode(items),
    decode(value) {
      const items = codec.decode(value);
      if (items.length === 0) throw new ShapeMismatch("is empty");
      return items;
    },
  };
}

export function pair<First, Second>(first: Codec<First>, second: Codec<Second>): Codec<readonly [First, Second]> {
  return {
    encode: (value) => [first.encode(value[0]), second.encode(value[1])],
    decode(value) {
      if (!Array.isArray(value) || value.length !== 2) throw new ShapeMismatch("is not a pair");
      return [first.decode(value[0]), second.decode(value[1])];
    },
  };
}

/**
 * An object with these fields, all required. Encoding writes them in this order whatever order the value was built in: the same
 * value gives the same bytes. Decoding ignores fields it does not know, so that a newer peer may say more.
 */
export function object<Type extends object>(fields: { readonly [Key in keyof Type]-?: Codec<Type[Key]> }): Codec<Type> {
  const entries = Object.entries(fields) as [keyof Type & string, Codec<Type[keyof Type]>][];
  return {
    encode(value) {
      const plain: Record<string, unknown> = {};
      for (const [key, codec] of entries) plain[key] = codec.encode(value[key]);
      return plain;
    },
    decode(value) {
      if (!isRecord(value)) throw new ShapeMismatch("is not an object");
      const result: Partial<Type> = {};
      let place = "";
      try {
        for (const [key, codec] of entries) result[(place = key) as keyof Type] = codec.decode(value[key]);
      } catch (error) {
        throw placed(error, place);
      }
      return result as Type;
    },
  };
}

/**
 * Values that mostly are what the one before was, such as what the routes of one rule have in common: equal ones that follow each other are one
 * object in memory.
 */
export function recurring<Type>(codec: Codec<Type>): Codec<Type> {
  let last: { readonly plain: unknown; readonly value: Type } | null = null;
  return {
    encode: (value) => codec.encode(value),
    decode(plain) {
      if (last === null || !isSamePlain(last.plain, plain)) last = { plain, value: codec.decode(plain) };
      return last.value;
    },
  };
}

function isSamePlain(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    for (let i = 0; i < left.length; i++) if (!isSamePlain(left[i], right[i])) return false;
    return true;
  }
  if (!isRecord(left) || !isRecord(right)) return false;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  for (const key of keys) if (!isSamePlain(left[key], right[key])) return false;
  return true;
}

type OfKind<Type, Kind> = Type extends { readonly kind: infer Own } ? (Kind extends Own ? Type : never) : never;

/** One of several objects, told apart by their `kind`. */
export function byKind<Type extends { readonly kind: string }>(kinds: {
  readonly [Kind in Type["kind"]]: Codec<OfKind<Type, Kind>>;
}): Codec<Type> {
  const codecs = new Map<string, Codec<Type>>(Object.entries(kinds));
  const find = (kind: unknown): Codec<Type> => {
    const codec = typeof kind === "string" ? codecs.get(kind) : undefined;
    if (codec === undefined) throw new ShapeMismatch(`is not one of ${[...codecs.keys()].join(", ")}`, "kind");
    return codec;
  };
  return {
    encode: (value) => find(value.kind).encode(value),
    decode(value) {
      if (!isRecord(value)) throw new ShapeMismatch("is not an object");
      return find(value["kind"]).decode(value);
    },
  };
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
