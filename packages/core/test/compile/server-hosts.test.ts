import { describe, expect, test } from "vitest";
import { hostsForNamespace, intersectHosts, sanitizeServerHosts, sniNames } from "../../src/compile/server-hosts.ts";

describe("server hosts", () => {
  test("name their namespace, or none for every namespace", () => {
    expect(sanitizeServerHosts(["./A.example", "*/b.example", "team/c.example", "d.example"], "infra")).toEqual([
      "infra/a.example",
      "b.example",
      "team/c.example",
      "d.example",
    ]);
  });

  test("with every host of every namespace are just that", () => {
    expect(sanitizeServerHosts(["a.example", "*/*"], "infra")).toEqual(["*"]);
  });

  test("become sorted SNI names without namespaces or duplicates", () => {
    expect(sniNames(["team-b/b.example", "*.a.example", "team-a/b.example"])).toEqual(["*.a.example", "b.example"]);
  });

  test("with a star become no SNI names at all: every connection matches", () => {
    expect(sniNames(["a.example", "team/*"])).toEqual([]);
  });

  test("of another namespace are not for this one", () => {
    expect(hostsForNamespace(["team/a.example", "team-b/b.example", "c.example"], "team")).toEqual([
      "a.example",
      "c.example",
    ]);
  });
});

describe("intersectHosts", () => {
  test.each([
    [
      ["foo.com", "*.net"],
      ["*.com", "bar.net"],
      ["foo.com", "bar.net"],
    ],
    [["*"], ["*.foo.com", "bar.com"], ["*.foo.com", "bar.com"]],
    [["*.foo.com"], ["foo.com"], []],
    [["*.foo.com"], ["a.b.foo.com"], ["a.b.foo.com"]],
    [["*.a.com"], ["*.com"], ["*.a.com"]],
    [["a.com", "*"], ["a.com"], ["a.com"]],
    [["a.com"], ["b.com"], []],
  ])("of %j and %j is %j", (server, other, expected) => {
    expect(intersectHosts(server, other)).toEqual(expected);
  });
});
