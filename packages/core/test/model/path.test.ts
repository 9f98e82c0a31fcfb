import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalizePath } from "../../src/model/path.ts";

describe("normalizePath", () => {
  it.each([
    ["/a/b/../c", "/a/c"],
    ["/a/b/./c", "/a/b/c"],
    ["/a/b/../../../../c", "/c"],
    ["/..", "/"],
    ["/.", "/"],
    ["/a/b/..", "/a/"],
    ["/a/b/.", "/a/b/"],
    ["/a//../b", "/a/b"],
    ["/../a", "/a"],
  ])("resolves dot segments: %s is %s", (path, expected) => expect(normalizePath(path)).toBe(expected));

  it.each([
    ["/a/%2E%2E/c", "/c"],
    ["/a/%2e./c", "/c"],
    ["/a/.%2E/c", "/c"],
    ["/a/%2e/c", "/a/c"],
    ["/a/..\\c", "/c"],
    ["/a\\..\\c", "/c"],
    ["/%61dmin", "/admin"],
    ["/%7euser", "/~user"],
  ])("sees through a disguise: %s is %s", (path, expected) => expect(normalizePath(path)).toBe(expected));

  it.each([
    "/",
    "/xyz",
    "/x/y/z",
    "//a///b",
    "/a/%2F%2f/c",
    "/%5c%25",
    "/%c0%af",
    "/...",
    "/.well-known/x",
    "/a.b/c..",
    "/100%",
    "/%zz",
    "/%252e%252e/x",
    "*",
  ])("leaves %s as sent", (path) => expect(normalizePath(path)).toBe(path));

  it("escapes what a URI may not hold", () => {
    expect(normalizePath('/a"b<c>{d}|^`')).toBe("/a%22b%3Cc%3E%7Bd%7D%7C%5E%60");
    expect(normalizePath("/\xc3\xa4")).toBe("/%C3%A4");
  });

  it.each([
    "",
    "a/b",
    "http://x/",
    "/a b",
    "/a\0b",
    "/a\r\nb",
    "/a\tb",
    "/a\x7f",
    "/a#b",
    "/a?b",
    "/xyz/.%00../abc",
    "/a%%0000",
    "/%%36%31dmin",
    "/%%32%65%%32%65/x",
    "/\u0130",
  ])("refuses %j", (path) => expect(normalizePath(path)).toBeNull());

  it("is idempotent and leaves no dot segment, backslash or escaped unreserved character", () => {
    const piece = fc.constantFrom(
      "/",
      "a",
      ".",
      "..",
      "%2e",
      "%2E",
      "\\",
      "%",
      "%25",
      "%32",
      "65",
      "%61",
      "//",
      "%2f",
      '"',
      "\xff",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const normalized = normalizePath(`/${pieces.join("")}`);
        if (normalized === null) return;
        expect(normalizePath(normalized)).toBe(normalized);
        expect(normalized).not.toMatch(/\/\.\.?(\/|$)|\\|%2e|%61/i);
      }),
      { numRuns: 2000 },
    );
  });
});
