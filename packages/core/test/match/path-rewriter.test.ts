// What rewrites make of paths: Envoy's results, and never a target that can be read in two ways.
import fc from "fast-check";
import { expect, test } from "vitest";
import { PathRewriter } from "../../src/match/index.ts";
import { normalizePath, type PathMatch } from "../../src/model/index.ts";

const match = (kind: PathMatch["kind"], value: string): PathMatch => ({ kind, value, ignoreCase: false });

test.each<[PathMatch["kind"], string, string, string, string, string]>([
  ["prefix", "/api", "/v2", "/api/users", "", "/v2/users"],
  ["prefix", "/api", "/v2", "/apix", "", "/v2x"],
  ["prefix", "/api/", "/", "/api/users", "a=1", "/users?a=1"],
  ["prefix", "/api", "/", "/api/users", "", "/users"],
  ["prefix", "/api", "/", "/api", "", "/"],
  ["prefix", "/", "/shop", "/cart", "", "/shopcart"],
  ["prefix", "/", "/shop/", "/cart", "", "/shop/cart"],
  ["prefix", "/api", "v2", "/api/users", "", "/v2/users"],
  ["exact", "/old", "/new", "/old", "q", "/new?q"],
  ["regex", "/o.d", "/new", "/old", "", "/new"],
  ["prefix", "/api", "/v2?from=api", "/api", "", "/v2?from=api"],
  ["prefix", "/api", "/v2?from=api", "/api", "a=1", "/v2?from=api&a=1"],
])("%s %s rewritten to %s: %s ? %s → %s", (...row) => {
  const [kind, value, rewrite, path, query, expected] = row;
  expect(new PathRewriter({ kind: "prefix", value: rewrite }, match(kind, value)).rewrite(path, query)).toBe(expected);
});

test.each([
  [String.raw`^/service/([^/]+)(/.*)$`, String.raw`\2/instance/\1`, "/service/foo/v1/api", "/v1/api/instance/foo"],
  ["one", "two", "/xxx/one/yyy/one/zzz", "/xxx/two/yyy/two/zzz"],
  [String.raw`(?i)/xxx/`, "/yyy/", "/aaa/XxX/bbb", "/aaa/yyy/bbb"],
  [String.raw`^/(\d+)?(.*)$`, String.raw`/p\1\2`, "/a", "/pa"],
  ["a", String.raw`\7b`, "/a", "/b"],
  ["a", String.raw`$1\\`, "/a", "/$1/"],
  ["never", "x", "/a", "/a"],
])("the pattern %s with %s makes of %s %s", (pattern, substitution, path, expected) => {
  const rewriter = new PathRewriter({ kind: "regex", pattern, substitution }, match("prefix", "/"));
  expect(rewriter.rewrite(path, "")).toBe(expected);
});

test.each([
  ["/static", "/files/", "/static../secret"],
  ["/static", "/files/", "/static.."],
  ["/static", "/files/", "/static./secret"],
  ["/a", "/files/%2e%2e/", "/a/b"],
])("%s rewritten to %s does not let %s out of it", (prefix, value, path) => {
  expect(normalizePath(path)).toBe(path);
  expect(new PathRewriter({ kind: "prefix", value }, match("prefix", prefix)).rewrite(path, "")).toBe(null);
});

test("a group that holds dots, a line end or an endless repetition gives no target", () => {
  const regex = (pattern: string, substitution: string) =>
    new PathRewriter({ kind: "regex", pattern, substitution }, match("prefix", "/"));
  expect(regex("^/(.*)-(.*)$", String.raw`/\1/\2`).rewrite("/..-x", "")).toBe(null);
  expect(regex("^/a$", "/a\r\nx: 1").rewrite("/a", "")).toBe(null);
  expect(regex("^/a$", "/a?b c").rewrite("/a", "")).toBe(null);
  expect(regex("(.*)", String.raw`\1`.repeat(9)).rewrite(`/${"a".repeat(60_000)}`, "")).toBe(null);
  expect(regex("(", "x").rewrite("/a", "")).toBe(null);
});

test("whatever is rewritten, the target is normal already", () => {
  const segment = fc.stringMatching(/^[a-z.%2eE/\\?=]{0,6}$/);
  fc.assert(
    fc.property(segment, segment, segment, (prefix, value, rest) => {
      const path = normalizePath(`/${prefix}${rest}`);
      if (path === null || !path.startsWith(`/${prefix}`)) return;
      const rewriter = new PathRewriter({ kind: "prefix", value: `/${value}` }, match("prefix", `/${prefix}`));
      const target = rewriter.rewrite(path, "");
      if (target === null) return;
      const [rewritten = ""] = target.split("?");
      expect(normalizePath(rewritten)).toBe(rewritten);
    }),
  );
});
