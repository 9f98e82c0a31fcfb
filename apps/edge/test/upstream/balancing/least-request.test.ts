import fc from "fast-check";
import { expect, test } from "vitest";
import { LeastRequestBalancer } from "../../../src/upstream/balancing/least-request.ts";
import { type Candidate, candidates as someCandidates, sequence, weighted } from "./support.ts";

test("there is nothing to choose from nothing", () => {
  expect(new LeastRequestBalancer([]).choose()).toBeNull();
});

test("of two drawn the one with fewer requests wins, and a tie goes to the draw", () => {
  const [a, b] = weighted([1, 1]) as [Candidate, Candidate];
  const draws = [0, 0.9, 0.9, 0, 0, 0.9];
  const balancer = new LeastRequestBalancer([a, b], () => draws.shift() ?? 0);
  a.activeRequests = 1;
  expect(balancer.choose()).toBe(b);
  expect(balancer.choose()).toBe(b);
  a.activeRequests = 0;
  expect(balancer.choose()).toBe(a);
});

test.each([[[1, 1, 1, 1]], [[1, 2, 5]], [[10, 30, 60]]])("idle endpoints of weights %j get shares alike", (weights) => {
  const candidates = weighted(weights);
  const balancer = new LeastRequestBalancer(candidates, sequence());
  const total = 60_000;
  for (let i = 0; i < total; i++) {
    const chosen = balancer.choose();
    if (chosen !== null) chosen.chosen++;
  }
  const sum = weights.reduce((a, b) => a + b);
  for (const { weight, chosen } of candidates) expect(chosen / total).toBeCloseTo(weight / sum, 2);
});

test("an endpoint that never finishes gets ever less", () => {
  const candidates = someCandidates(3);
  const balancer = new LeastRequestBalancer(candidates, sequence());
  const stuck = candidates[0];
  for (let i = 0; i < 30_000; i++) {
    const chosen = balancer.choose();
    if (chosen === null) continue;
    chosen.chosen++;
    if (chosen === stuck) chosen.activeRequests++;
  }
  // Drawn twice for itself (1 in 9) it has no rival; otherwise it loses as soon as it is busy.
  expect((stuck?.chosen ?? 0) / 30_000).toBeCloseTo(1 / 9, 1);
});

test("whatever the weights and the draw, a candidate comes out", () => {
  const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(weights, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (list, draw) => {
      expect(new LeastRequestBalancer(weighted(list), () => draw).choose()).not.toBeNull();
    }),
  );
});
