import type { HashBalancer } from "@sluice/core/model";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HashChoice } from "../../../src/upstream/balancing/hash-choice.ts";
import { MaglevTable } from "../../../src/upstream/balancing/maglev-table.ts";
import { RingTable } from "../../../src/upstream/balancing/ring-table.ts";
import { sharedTable, sharedTableCount } from "../../../src/upstream/balancing/shared-tables.ts";
import { Hash64, xxHash64 } from "../../../src/upstream/balancing/xx-hash-64.ts";
import { type Candidate, candidates, count, shares, weighted } from "./support.ts";

const key = { kind: "source-ip" } as const;
const ring: HashBalancer = { kind: "ring-hash", key, size: 1024 };
const maglev: HashBalancer = { kind: "maglev", key, size: 65_537 };
const none: readonly Candidate[] = [];

function hashOf(text: string): Hash64 {
  const hash = new Hash64();
  xxHash64(text, hash);
  return hash;
}

const keys = Array.from({ length: 5000 }, (_, index) => hashOf(`user-${index}`));
const owners = (choice: HashChoice<Candidate>) => keys.map((hash) => choice.choose(hash, none)?.address);

describe.each([
  ["ring", ring],
  ["Maglev table", maglev],
] as const)("a %s", (_name, balancer: HashBalancer) => {
  test("gives the same answers whatever the order its endpoints come in", () => {
    const members = candidates(10);
    expect(owners(new HashChoice(members.toReversed(), balancer))).toEqual(owners(new HashChoice(members, balancer)));
  });

  test("moves about 1/n of the keys when one of n endpoints goes, and hardly any other", () => {
    const members = candidates(20);
    const before = owners(new HashChoice(members, balancer));
    const after = owners(new HashChoice(members.slice(1), balancer));
    const gone = members[0]?.address;
    const moved = before.filter((owner, index) => owner !== after[index]).length / keys.length;
    const movedNeedlessly =
      before.filter((owner, index) => owner !== gone && owner !== after[index]).length / keys.length;
    expect(moved).toBeGreaterThan(0.02);
    // Envoy's ring gets other numbers of points an endpoint, Maglev's turns shift: both move a few keys besides.
    expect(moved).toBeLessThan(0.15);
    expect(movedNeedlessly).toBeLessThan(0.08);
  });

  test("gives up nothing but the ejected endpoint's keys, and gives them back", () => {
    const members = candidates(10);
    const choice = new HashChoice(members, balancer);
    const before = owners(choice);
    const ejected = members[3] as Candidate;
    ejected.isEjected = true;
    const during = owners(choice);
    expect(during).not.toContain(ejected.address);
    for (const [index, owner] of before.entries()) {
      if (owner !== ejected.address) expect(during[index]).toBe(owner);
    }
    expect(new Set(during.filter((_, index) => before[index] === ejected.address)).size).toBeGreaterThan(2);
    ejected.isEjected = false;
    expect(owners(choice)).toEqual(before);
  });

  test("leads a retry to the next endpoint, until all were tried", () => {
    const members = candidates(3);
    const choice = new HashChoice(members, balancer);
    const hash = hashOf("user-7");
    const tried: Candidate[] = [];
    for (let attempt = 0; attempt < 3; attempt++) tried.push(choice.choose(hash, tried) as Candidate);
    expect(new Set(tried).size).toBe(3);
    expect(choice.choose(hash, tried)).toBeNull();
  });

  test("gives shares by weight", () => {
    const members = weighted([1, 2, 5]);
    const choice = new HashChoice(members, { ...balancer, size: 65_537 });
    let index = 0;
    count(5000, () => choice.choose(keys[index++] as Hash64, none));
    const [one = 0, two = 0, five = 0] = shares(members);
    expect(one).toBeCloseTo(1 / 8, 1);
    expect(two).toBeCloseTo(2 / 8, 1);
    expect(five).toBeCloseTo(5 / 8, 1);
  });

  test("is made once for equal lists, on first use", () => {
    const members = weighted([4, 3, 2, 1, 7, 9]);
    const choices = [members, members.toReversed()].map((list) => new HashChoice<Candidate>(list, balancer));
    const before = sharedTableCount();
    for (const choice of choices) choice.choose(hashOf("a"), none);
    expect(sharedTableCount()).toBe(before + 1);
    const placed = members.toSorted((a, b) => (a.address < b.address ? -1 : 1));
    expect(sharedTable(placed, balancer)).toBe(sharedTable(placed, balancer));
  });

  test("finds an endpoint for any hash and any list", () => {
    const lists = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(lists, fc.string(), (weights, text) => {
        const choice = new HashChoice(weighted(weights), { ...balancer, size: 251 });
        expect(choice.choose(hashOf(text), none)).not.toBeNull();
      }),
      { numRuns: 50 },
    );
  });

  test("finds the only usable endpoint among many, and none among none", () => {
    const members = candidates(300);
    for (const member of members) member.isEjected = true;
    const choice = new HashChoice(members, balancer);
    expect(choice.choose(hashOf("a"), none)).toBeNull();
    const last = members[299] as Candidate;
    last.isEjected = false;
    expect(choice.choose(hashOf("a"), none)).toBe(last);
    expect(new HashChoice<Candidate>([], balancer).choose(hashOf("a"), none)).toBeNull();
  });
});

test("a ring has at least the points asked for, more where weights are unequal, and no more than 131072 for that", () => {
  const pointsOf = (weights: readonly number[], size: number) => new RingTable(weighted(weights), size).owners.length;
  expect(pointsOf([1, 1, 1], 1024)).toBe(1026);
  expect(pointsOf([1, 4000], 1024)).toBe(4001);
  expect(pointsOf([1, 1_000_000_000], 1024)).toBe(2 ** 17);
});

test("points lie where Envoy puts them: at xxHash64 of the address, an underscore and a number", () => {
  const [a, b] = weighted([1, 1]) as [Candidate, Candidate];
  const choice = new HashChoice([a, b], { ...ring, size: 64 });
  for (let point = 0; point < 32; point++) {
    expect(choice.choose(hashOf(`${a.address}_${point}`), none)).toBe(a);
    expect(choice.choose(hashOf(`${b.address}_${point}`), none)).toBe(b);
  }
});

test("behind the last point of a ring comes the first", () => {
  const table = new RingTable(candidates(5), 100);
  const last = new Hash64();
  [last.high, last.low] = [-1, -1];
  expect(table.slotOf(last)).toBe(0);
  expect(table.slotOf(new Hash64())).toBe(0);
});

test("a ring answers as a search through all its points does", () => {
  const members = candidates(5);
  const table = new RingTable(members, 100);
  const points = members
    .flatMap(({ address }, owner) =>
      Array.from({ length: 20 }, (_, point) => ({
        owner,
        place: BigInt(`0x${hashOf(`${address}_${point}`).toHex()}`),
      })),
    )
    .toSorted((a, b) => (a.place < b.place ? -1 : 1));
  for (const hash of keys.slice(0, 1000)) {
    const place = BigInt(`0x${hash.toHex()}`);
    const expected = points.find((point) => point.place >= place) ?? points[0];
    expect(table.owners[table.slotOf(hash)]).toBe(expected?.owner);
  }
});

test("a Maglev table is filled as the paper's listing fills it", () => {
  const members = candidates(3);
  const size = 7;
  const order = members.map(({ address }) => {
    const first = BigInt(`0x${hashOf(address).toHex()}`);
    const second = new Hash64();
    xxHash64(address, second, 1);
    const [offset, skip] = [Number(first % 7n), Number(BigInt(`0x${second.toHex()}`) % 6n) + 1];
    return Array.from({ length: size }, (_, next) => (offset + next * skip) % size);
  });
  const expected = Array.from<number | undefined>({ length: size });
  for (let filled = 0; filled < size;) {
    for (const [owner, preference] of order.entries()) {
      const slot = preference.find((wish) => expected[wish] === undefined);
      if (slot === undefined) break;
      expected[slot] = owner;
      filled++;
    }
  }
  expect([...new MaglevTable(members, size).owners]).toEqual(expected);
});

test("the points of a large ring are in order", () => {
  const table = new RingTable(candidates(3), 200_000);
  const expected = candidates(3).map(({ address }, owner) => ({ owner, address }));
  for (const { owner, address } of expected) {
    for (let point = 0; point < 60_000; point += 997) {
      expect(table.owners[table.slotOf(hashOf(`${address}_${point}`))]).toBe(owner);
    }
  }
});

test("slots of a Maglev table are shared to within one percent", () => {
  const table = new MaglevTable(candidates(7), 65_537);
  const counts = new Map<number, number>();
  for (const owner of table.owners) counts.set(owner, (counts.get(owner) ?? 0) + 1);
  for (const slots of counts.values()) expect(Math.abs(slots / (65_537 / 7) - 1)).toBeLessThan(0.01);
});
