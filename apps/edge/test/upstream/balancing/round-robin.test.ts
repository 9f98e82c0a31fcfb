import fc from "fast-check";
import { expect, test } from "vitest";
import { RoundRobinBalancer } from "../../../src/upstream/balancing/round-robin.ts";
import { type Candidate, candidates, count, sequence, weighted } from "./support.ts";

const fromTheFirst = () => 0;

test("endpoints of equal weight take turns, beginning anywhere", () => {
  const members = candidates(3);
  const from = (start: number) => {
    const balancer = new RoundRobinBalancer(members, () => start);
    return Array.from({ length: 5 }, () => members.indexOf(balancer.choose() as Candidate));
  };
  expect(from(0)).toEqual([0, 1, 2, 0, 1]);
  expect(from(0.7)).toEqual([2, 0, 1, 2, 0]);
});

test("a heavy endpoint's turns are spread over the round, not in a row", () => {
  const members = weighted([3, 1]);
  const balancer = new RoundRobinBalancer(members, fromTheFirst);
  const turns = Array.from({ length: 8 }, () => members.indexOf(balancer.choose() as Candidate));
  expect(turns.filter((turn) => turn === 0)).toHaveLength(6);
  expect(turns.join("")).not.toContain("0000");
  expect(turns.join("")).not.toContain("11");
});

test("over whole rounds everybody gets exactly its weight, give or take one turn", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(weights, fc.integer({ min: 1, max: 5 }), (list, rounds) => {
      const members = weighted(list);
      const balancer = new RoundRobinBalancer(members, fromTheFirst);
      const sum = list.reduce((a, b) => a + b);
      count(sum * rounds, () => balancer.choose());
      for (const { chosen, weight } of members) expect(Math.abs(chosen - weight * rounds)).toBeLessThanOrEqual(1);
    }),
  );
});

test("workers do not all begin with the same endpoint", () => {
  const members = weighted([1, 2, 3, 4]);
  const random = sequence();
  count(400, () => new RoundRobinBalancer(members, random).choose());
  for (const { chosen } of members) expect(chosen).toBeGreaterThan(0);
});

test("there is nothing to choose from nothing", () => {
  expect(new RoundRobinBalancer([]).choose()).toBeNull();
});
