import { describe, expect, test } from "vitest";
import { correctOmission, latencyOf, median, ratio, spread } from "../src/load/statistics.ts";

describe("median", () => {
  test("is the middle value, whatever the order", () => expect(median([9, 1, 5])).toBe(5));
  test("is the mean of the two in the middle", () => expect(median([4, 1, 2, 9])).toBe(3));
  test("of nothing is not a number", () => expect(median([])).toBeNaN());
});

test("the spread reaches from the least round to the most", () => {
  expect(spread([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
});

describe("a ratio", () => {
  test("is made round by round: a slow round slows both and changes nothing", () => {
    expect(ratio([2, 20, 2], [4, 40, 4])).toEqual({ median: 0.5, min: 0.5, max: 0.5 });
  });

  test("takes no more rounds than both have", () => {
    expect(ratio([1, 2, 3], [1, 1])).toEqual({ median: 1.5, min: 1, max: 2 });
  });
});

test("percentiles are by nearest rank", () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(latencyOf(hundred)).toEqual({ p50Ms: 50, p90Ms: 90, p99Ms: 99, maxMs: 100 });
});

describe("coordinated omission", () => {
  test("a stall of 45 ms stands for those that were due every 10 ms meanwhile", () => {
    expect([...correctOmission([1, 45], 10)]).toEqual([1, 45, 35, 25, 15, 5]);
  });

  test("answers that come before the next request is due are left as they are", () => {
    expect([...correctOmission([9, 10, 1], 10)]).toEqual([9, 10, 1]);
  });
});
