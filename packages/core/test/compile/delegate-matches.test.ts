// What a delegate takes is never more than its root hands on, and never more than it asks for itself.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { intersectMatches } from "../../src/compile/delegate-matches.ts";
import { buildRouteMatch } from "../../src/compile/route-match.ts";
import { CompiledRoute } from "../../src/match/compiled-route.ts";
import type { MatchRequest } from "../../src/match/index.ts";
import type { HttpMatchRequest, StringMatch } from "../../src/model/index.ts";

const value = fc.constantFrom("a", "ab", "b");
const stringMatch: fc.Arbitrary<StringMatch> = fc.oneof(
  fc.record({ exact: value }),
  fc.record({ prefix: value }),
  fc.record({ regex: fc.constantFrom("a.*", "ab?") }),
);
const path = fc.constantFrom("/", "/a", "/A", "/a/b", "/b");
const uri: fc.Arbitrary<StringMatch> = fc.oneof(
  fc.record({ exact: path }),
  fc.record({ prefix: path }),
  fc.record({ regex: fc.constantFrom("/a.*", ".*") }),
);
const named = fc.dictionary(fc.constantFrom("x", "x", "y"), fc.oneof(stringMatch, fc.constant({})), { maxKeys: 2 });
const fields = {
  uri,
  method: stringMatch,
  headers: named,
  withoutHeaders: named,
  queryParams: named,
  ignoreUriCase: fc.boolean(),
};
/** Of few fields, or nothing would ever be taken. */
const match = fc
  .subarray(Object.keys(fields) as (keyof typeof fields)[], { maxLength: 2 })
  .chain((chosen): fc.Arbitrary<object> => fc.record(Object.fromEntries(chosen.map((field) => [field, fields[field]]))))
  .map((conditions): HttpMatchRequest => conditions);
const matches = fc.array(match, { minLength: 1, maxLength: 2 });

const request: fc.Arbitrary<MatchRequest> = fc
  .record({ path, method: value, x: fc.option(value), y: fc.option(value), q: fc.option(value) })
  .map(({ path: requestPath, method, x, y, q }) => ({
    path: requestPath,
    query: q === null ? "" : `x=${q}`,
    method,
    authority: "a.com",
    scheme: "http",
    header: (name) => (name === "x" ? x : name === "y" ? y : null),
  }));

function takes(list: readonly HttpMatchRequest[], asked: MatchRequest): boolean {
  const alternatives = list.length === 0 ? [null] : list;
  return alternatives.some((entry) => new CompiledRoute(buildRouteMatch(entry)).matches(asked));
}

describe("matches of a root and its delegate", () => {
  it("together take only what both take", () => {
    let taken = 0;
    fc.assert(
      fc.property(matches, matches, fc.array(request, { minLength: 20, maxLength: 20 }), (root, delegate, requests) => {
        const merged = intersectMatches(root, delegate);
        if (merged === null || merged === "too-many") return;
        for (const asked of requests.filter((candidate) => takes(merged, candidate))) {
          taken++;
          expect(takes(root, asked)).toBe(true);
          expect(takes(delegate, asked)).toBe(true);
        }
      }),
      { numRuns: 1200 },
    );
    expect(taken).toBeGreaterThan(500);
  });

  it.each<[HttpMatchRequest, HttpMatchRequest]>([
    [{ ignoreUriCase: true, uri: { prefix: "/a" } }, { uri: { prefix: "/a/b" } }],
    [{ port: 80 }, { port: 443 }],
    [{ sourceNamespace: "a" }, { sourceNamespace: "b" }],
    [{ sourceLabels: { app: "a" } }, { sourceLabels: { app: "b" } }],
    [{ gateways: ["default/a"] }, { gateways: ["default/a", "default/b"] }],
    [{ withoutHeaders: { x: { prefix: "a" } } }, { withoutHeaders: { x: { exact: "ab" } } }],
    [{ headers: { x: { exact: "a" } } }, { headers: { x: {} } }],
  ])("have nothing in common: %j and %j", (root, delegate) => {
    expect(intersectMatches([root], [delegate])).toBeNull();
  });

  it("are not put together beyond the limit", () => {
    const many = Array.from({ length: 1000 }, (_, index) => ({ uri: { prefix: `/${index}` } }));
    const others = many.map((_, index) => ({ headers: { x: { exact: String(index) } } }));
    expect(intersectMatches(many, others, 999_999)).toBe("too-many");
    expect(intersectMatches(many.slice(0, 10), others, 10_000)).toHaveLength(10_000);
  });

  it("keep what either asks for", () => {
    const root = {
      name: "r",
      headers: { x: { exact: "a" } },
      withoutHeaders: { y: {} },
      sourceLabels: { app: "a" },
      gateways: ["d/g"],
    };
    const delegate = {
      name: "d",
      withoutHeaders: { z: {} },
      queryParams: { q: {} },
      sourceLabels: { tier: "b" },
      port: 80,
    };
    expect(intersectMatches([root], [delegate])).toEqual([
      {
        name: "r-d",
        headers: { x: { exact: "a" } },
        withoutHeaders: { y: {}, z: {} },
        queryParams: { q: {} },
        sourceLabels: { app: "a", tier: "b" },
        gateways: ["d/g"],
        port: 80,
      },
    ]);
  });
});
