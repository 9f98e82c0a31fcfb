import fc from "fast-check";
import { expect, test } from "vitest";
import { loadOfLevels } from "../../../src/upstream/balancing/priority-load.ts";

const percents = (levels: [healthy: number, total: number][], panicPercent = 0) =>
  loadOfLevels(
    levels.map(([healthy, total]) => ({ healthy, total })),
    panicPercent,
  ).map(({ percent }) => Math.round(percent));

// The table of Envoy's documentation on priority levels.
test.each([
  [100, 100, [100, 0]],
  [72, 72, [100, 0]],
  [71, 71, [99, 1]],
  [50, 50, [70, 30]],
  [25, 100, [35, 65]],
  [25, 25, [50, 50]],
  [0, 100, [0, 100]],
])("with %i%% and %i%% healthy, two levels get %j", (first, second, expected) => {
  expect(
    percents([
      [first, 100],
      [second, 100],
    ]),
  ).toEqual(expected);
});

test("without panic nobody gets anything when nobody is healthy", () => {
  expect(percents([[0, 3]])).toEqual([0]);
});

test("a level panics only when all levels together cannot take the load", () => {
  const loads = (levels: [number, number][]) =>
    loadOfLevels(
      levels.map(([healthy, total]) => ({ healthy, total })),
      50,
    ).map(({ isPanicking }) => isPanicking);
  expect(
    loads([
      [1, 4],
      [4, 4],
    ]),
  ).toEqual([false, false]);
  expect(loads([[1, 4]])).toEqual([true]);
  expect(loads([[2, 4]])).toEqual([false]);
  expect(
    percents(
      [
        [1, 4],
        [0, 12],
      ],
      50,
    ),
  ).toEqual([25, 75]);
});

test("loads are never negative and add up to all or nothing", () => {
  const level = fc
    .integer({ min: 0, max: 50 })
    .chain((total) => fc.record({ total: fc.constant(total), healthy: fc.integer({ min: 0, max: total }) }));
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 5 }), fc.integer({ min: 0, max: 100 }), (levels, panic) => {
      const loads = loadOfLevels(levels, panic);
      const sum = loads.reduce((total, { percent }) => total + percent, 0);
      for (const { percent } of loads) expect(percent).toBeGreaterThanOrEqual(0);
      expect([0, 100]).toContain(Math.round(sum * 1e6) / 1e6);
      if (levels.some(({ healthy }) => healthy > 0)) expect(sum).toBeGreaterThan(99);
    }),
  );
});
