import { expect, test } from "vitest";
import { createCounters } from "../../src/upstream/cluster-counters.ts";
import { RetryAdmission } from "../../src/upstream/retry-admission.ts";

function world(limits: ConstructorParameters<typeof RetryAdmission>[0]) {
  const counters = createCounters();
  const clock = { nowMs: 0 };
  const retries = new RetryAdmission(limits, counters, () => clock.nowMs);
  const admitted = () => {
    let count = 0;
    while (count < 1000 && retries.begin()) count++;
    for (let begun = 0; begun < count; begun++) retries.end();
    return count;
  };
  return { counters, clock, retries, admitted };
}

test("maxRetries bounds the retries under way; 0 does not", () => {
  const limited = world({ maxRetries: 3, retryBudget: null });
  expect(limited.admitted()).toBe(3);
  expect(limited.admitted()).toBe(3);
  expect(limited.counters).toMatchObject({ activeRetries: 0, retryTotal: 6, retryOverflowTotal: 2 });
  expect(world({ maxRetries: 0, retryBudget: null }).admitted()).toBe(1000);
});

test("a budget is a share of the requests under way, but never less than its minimum", () => {
  const { counters, admitted } = world({
    maxRetries: 1,
    retryBudget: { percent: 20, minRetryConcurrency: 3, intervalMs: 0 },
  });
  expect(admitted()).toBe(3);
  counters.activeRequests = 14;
  expect(admitted()).toBe(3);
  counters.activeRequests = 100;
  expect(admitted()).toBe(20);
});

test("with an interval, requests that ended within it count as well", () => {
  const { clock, retries, admitted } = world({
    maxRetries: 0,
    retryBudget: { percent: 10, minRetryConcurrency: 0, intervalMs: 1000 },
  });
  clock.nowMs = 12_345;
  for (let ended = 0; ended < 50; ended++) retries.onRequestEnded();
  clock.nowMs += 500;
  for (let ended = 0; ended < 50; ended++) retries.onRequestEnded();
  expect(admitted()).toBe(10);
  clock.nowMs += 600;
  expect(admitted()).toBe(5);
  clock.nowMs += 100_000;
  expect(admitted()).toBe(0);
});
