import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { prioritize } from "../../src/compile/locality-failover.ts";
import { localityMatches, shareOut } from "../../src/compile/locality-shares.ts";
import { type Endpoint, plainEndpoint } from "../../src/model/index.ts";

const locality = fc.constantFrom("", "us", "us/a", "us/a/1", "us/a/2", "us/b", "eu/a", "eu/a/1");

function endpoints(maxWeight: number, maxLength: number): fc.Arbitrary<readonly Endpoint[]> {
  return fc
    .array(fc.record({ locality, weight: fc.integer({ min: 1, max: maxWeight }), healthy: fc.boolean() }), {
      maxLength,
    })
    .map((list) => list.map((fields, index) => ({ ...plainEndpoint(`10.0.0.${index}`, 80), ...fields })));
}

function weightOf(list: readonly Endpoint[], pattern: string): number {
  const members = list.filter((endpoint) => localityMatches(pattern, endpoint.locality));
  const ready = members.filter(({ healthy }) => healthy);
  return (ready.length > 0 ? ready : members).reduce((sum, { weight }) => sum + weight, 0);
}

describe("shares of localities", () => {
  const to = { "us/a": 70, "us/b": 20, eu: 10 };

  it("are kept exactly by the endpoints that can serve", () => {
    fc.assert(
      fc.property(endpoints(10, 8), (list) => {
        const shared = shareOut(list, [{ from: "*", to }], "us/a/1") ?? [];
        const units = Object.entries(to).map(([pattern, share]) => weightOf(shared, pattern) / share);
        const present = units.filter((unit) => unit > 0);
        for (const unit of present) expect(unit).toBeCloseTo(present[0] ?? 0, 9);
      }),
    );
  });

  it("give whole weights above 0, and nothing to localities without a share", () => {
    fc.assert(
      fc.property(endpoints(4_294_967_295, 20), (list) => {
        const shared = shareOut(list, [{ from: "*", to }], "") ?? [];
        expect(shared.map(({ address }) => address)).toEqual(
          list
            .filter(({ locality: own }) => Object.keys(to).some((pattern) => localityMatches(pattern, own)))
            .map(({ address }) => address),
        );
        for (const { weight } of shared) expect(Number.isSafeInteger(weight) && weight > 0).toBe(true);
      }),
    );
  });

  it("are those of the first entry for the gateway's locality", () => {
    const list = [{ ...plainEndpoint("10.0.0.1", 80), locality: "us/a" }];
    const distribute = [
      { from: "eu", to: { us: 100 } },
      { from: "us/a", to: { eu: 100 } },
      { from: "us/*", to: { us: 100 } },
    ];
    expect(shareOut(list, distribute, "us/a/1")).toEqual([]);
    expect(shareOut(list, distribute, "us/b")).toHaveLength(1);
    expect(shareOut(list, distribute, "ap")).toBeNull();
  });
});

describe("a locality pattern", () => {
  it.each([
    ["*", "", true],
    ["us", "us/a/1", true],
    ["us/*", "us/a/1", true],
    ["us/*", "us", true],
    ["us/a", "us/a/1", true],
    ["us/a/*", "us/b/1", false],
    ["us/a/1", "us/a/2", false],
    ["us", "us-west", false],
    ["us/a", "us", false],
  ])("%s covers %j: %s", (pattern, place, expected) => {
    expect(localityMatches(pattern, place)).toBe(expected);
  });
});

describe("priorities", () => {
  const settings = { failover: [{ from: "us", to: "eu" }], failoverPriority: [] };

  it("begin at 0, leave no gap, and rank by nearness whatever else is there", () => {
    const nearness = ["us/a/1", "us/a/2", "us/b", "eu/a", ""];
    fc.assert(
      fc.property(fc.shuffledSubarray(nearness, { minLength: 1 }), (places) => {
        const gateway = { namespace: "n", labels: {}, locality: "us/a/1" };
        const instances = places.map((place) => ({
          endpoint: { ...plainEndpoint("a", 1), locality: place },
          labels: {},
        }));
        const ranked = prioritize(instances, settings, gateway).toSorted((a, b) => a.priority - b.priority);
        expect(ranked.map(({ priority }) => priority)).toEqual(places.map((_, index) => index));
        expect(ranked.map(({ locality: place }) => place)).toEqual(nearness.filter((place) => places.includes(place)));
      }),
    );
  });
});
