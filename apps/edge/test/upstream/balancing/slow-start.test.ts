import { expect, test } from "vitest";
import { LeastRequestBalancer } from "../../../src/upstream/balancing/least-request.ts";
import { RoundRobinBalancer } from "../../../src/upstream/balancing/round-robin.ts";
import { SlowStart } from "../../../src/upstream/balancing/slow-start.ts";
import { candidate, count, sequence, shares } from "./support.ts";

const warmup = { durationMs: 1000, minimumPercent: 10, aggression: 1 };

function world() {
  const clock = { nowMs: 10_000 };
  const members = [
    candidate("10.0.0.1:80"),
    candidate("10.0.0.2:80"),
    candidate("10.0.0.3:80", { knownSinceMs: 10_000 }),
  ];
  const slowStart = new SlowStart(members, warmup, () => clock.nowMs);
  return { clock, members, slowStart };
}

test("the factor grows with time by Envoy's formula", () => {
  const fresh = candidate("10.0.0.1:80", { knownSinceMs: 0 });
  const factorAt = (nowMs: number, aggression: number, minimumPercent = 10) =>
    new SlowStart([fresh], { durationMs: 1000, minimumPercent, aggression }, () => nowMs).factorOf(fresh);
  expect([0, 50, 250, 500, 1000, 5000].map((nowMs) => factorAt(nowMs, 1))).toEqual([0.1, 0.1, 0.25, 0.5, 1, 1]);
  expect(factorAt(250, 2)).toBeCloseTo(0.5);
  expect(factorAt(500, 0.5)).toBeCloseTo(0.25);
  expect(factorAt(0, 1, 0)).toBeCloseTo(0.001);
});

test.each([
  ["least-request", LeastRequestBalancer],
  ["round-robin", RoundRobinBalancer],
])("%s gives a new endpoint its share step by step", (_name, Balancer) => {
  const { clock, members, slowStart } = world();
  const balancer = new Balancer(members, sequence(), slowStart);
  const shareAt = (ageMs: number) => {
    clock.nowMs = 10_000 + ageMs;
    for (const member of members) member.chosen = 0;
    count(30_000, () => balancer.choose());
    return shares(members)[2] ?? 0;
  };
  expect(shareAt(1)).toBeCloseTo(0.1 / 2.1, 2);
  expect(shareAt(500)).toBeCloseTo(0.5 / 2.5, 2);
  expect(shareAt(1000)).toBeCloseTo(1 / 3, 2);
});

test("a turn is not waited for by a weight that has grown meanwhile", () => {
  const clock = { nowMs: 0 };
  const members = [candidate("10.0.0.1:80"), candidate("10.0.0.2:80", { knownSinceMs: 0 })];
  const slowStart = new SlowStart(members, { ...warmup, minimumPercent: 0 }, () => clock.nowMs);
  const balancer = new RoundRobinBalancer(members, () => 0, slowStart);
  count(10, () => balancer.choose());
  clock.nowMs = 500;
  count(9, () => balancer.choose());
  expect(members[1]?.chosen).toBe(3);
  clock.nowMs = 1000;
  count(10, () => balancer.choose());
  expect(members[1]?.chosen).toBe(8);
});

test("endpoints that are all new share as if none were", () => {
  const members = [0, 1, 2].map((index) => candidate(`10.0.0.${index}:80`, { knownSinceMs: 0 }));
  const slowStart = new SlowStart(members, warmup, () => 1);
  const balancer = new LeastRequestBalancer(members, sequence(), slowStart);
  count(30_000, () => balancer.choose());
  for (const share of shares(members)) expect(share).toBeCloseTo(1 / 3, 1);
});

test("an endpoint of next to no weight is still chosen when it is the only one", () => {
  const only = candidate("10.0.0.1:80", { knownSinceMs: 0 });
  const slowStart = new SlowStart([only], { ...warmup, minimumPercent: 0 }, () => 0);
  expect(new RoundRobinBalancer([only], sequence(), slowStart).choose()).toBe(only);
  expect(new LeastRequestBalancer([only], sequence(), slowStart).choose()).toBe(only);
});
