import { describe, expect, it } from "vitest";
import { parseSources } from "../../src/parse/index.ts";

function parse(text: string) {
  return parseSources([{ file: "a.yaml", text }], { defaultNamespace: "default" });
}

function codes(text: string): string[] {
  return parse(text).diagnostics.map(({ line, column, code, path }) => `${line}:${column} ${code} ${path}`.trim());
}

const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n";

describe("syntax errors", () => {
  it.each([
    ["a: b: c\n", "1:4 yaml-syntax"],
    ["a:\n\t- b\n", "2:1 yaml-syntax"],
    ["a: @x\n", "1:4 yaml-syntax"],
    ["a: *\n", "1:4 yaml-syntax"],
    ['a: "\\q"\n', "1:5 yaml-syntax"],
    ["a: [1, 2\nb: 1\n", "2:1 yaml-syntax"],
    ["- a\nb: 1\n", "2:1 yaml-syntax"],
    ["a: !!binary xx\n", "1:4 yaml-syntax"],
    ["hosts:\n- *.example.com\n", "2:3 invalid-alias hosts[0]"],
    ["a: &x [*x]\n", "1:8 invalid-alias a[0]"],
    ["a: 1\nb: {c: 1, c: 2}\na: 2\n", "2:11 duplicate-key b.c"],
    ["{? [a] : b}\n", "1:1 invalid-key"],
    ["a: {<<: 3}\n", '1:5 invalid-merge-key a["<<"]'],
  ])("%j is reported at %s", (text, expected) => {
    expect(codes(text)).toContain(expected);
    expect(parse(text).documents).toEqual([]);
  });

  it("of one document hide none of the others", () => {
    const { documents, diagnostics } = parse(`a: b: c\n---\n${secret}---\nx: @y\n---\n${secret.replace("s}", "t}")}`);
    expect(documents.map(({ name }) => name)).toEqual(["s", "t"]);
    expect(diagnostics.map(({ line, code }) => [line, code])).toEqual([
      [1, "yaml-syntax"],
      [7, "yaml-syntax"],
    ]);
  });

  it("come with a hint and an error for each duplicate key", () => {
    const { diagnostics } = parse("a: 1\na: 2\nb: 1\nb: 2\n");
    expect(diagnostics.map(({ line, path, hint }) => [line, path, hint !== undefined])).toEqual([
      [2, "a", true],
      [4, "b", true],
    ]);
  });

  it.each([
    'tls.key: "hunter2\n',
    "tls.key: *hunter2\n",
    "tls.key: @hunter2\n",
    "tls.key: x: hunter2\n",
    "- x\nhunter2\n",
  ])("never quote the source, which may be a secret: %j", (text) => {
    const { diagnostics } = parse(text);
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(JSON.stringify(diagnostics)).not.toContain("hunter2");
  });
});

describe("limits", () => {
  it("stop billion laughs and say so once", () => {
    const levels = ["a: &a [x,x,x,x,x,x,x,x,x,x]"];
    for (const [index, name] of "bcdefghi".split("").entries()) {
      const inner = "abcdefgh"[index] ?? "";
      levels.push(`${name}: &${name} [${Array(10).fill(`*${inner}`).join(",")}]`);
    }
    const { documents, diagnostics } = parse(`${secret}${levels.join("\n")}\n---\n${secret.replace("s}", "t}")}`);
    expect(diagnostics.map(({ code }) => code)).toEqual(["too-many-aliases"]);
    expect(documents.map(({ name }) => name)).toEqual(["t"]);
  });

  it("let an anchor be used often", () => {
    const text = `${secret}stringData:\n  a: &a x\n${Array.from({ length: 5000 }, (_, i) => `  k${i}: *a\n`).join("")}`;
    expect(parse(text).diagnostics).toEqual([]);
  });

  it.each([
    ["[", 200],
    ["[", 200_000],
    ["{a: ", 20_000],
    ["- ", 20_000],
    ["? ", 20_000],
  ])("stop %j nested %i times without overflowing the stack", (text, count) => {
    expect(parse(text.repeat(count)).diagnostics.map(({ code }) => code)).toEqual(["nesting-too-deep"]);
  });

  it("stop nesting by aliases", () => {
    const levels = ["a0: &a0 [[[[[[[[[[x]]]]]]]]]]"];
    for (let i = 1; i < 20; i++) levels.push(`a${i}: &a${i} [[[[[[[[[[*a${i - 1}]]]]]]]]]]`);
    expect(codes(levels.join("\n")).filter((code) => code.includes("nesting-too-deep"))).not.toEqual([]);
  });

  it("keep documents that came before the nesting", () => {
    expect(parse(`${secret}---\n${"[".repeat(1000)}`).documents.map(({ name }) => name)).toEqual(["s"]);
  });

  it("refuse a file above 32 MiB unread", () => {
    expect(codes(`${secret}# ${"x".repeat(32 * 1024 * 1024)}`)).toEqual(["1:1 file-too-large"]);
  });
});

describe("prototype pollution", () => {
  it("is refused as a key and leaves objects alone", () => {
    const text = `${secret}stringData: {__proto__: {polluted: "yes"}}\n"__proto__": {polluted: "yes"}\nx: {<<: {"__proto__": {polluted: 1}}}\n`;
    const { documents, diagnostics } = parse(text);
    expect(documents).toEqual([]);
    expect(diagnostics.map(({ code, line }) => [code, line])).toEqual([
      ["invalid-key", 4],
      ["invalid-key", 5],
      ["invalid-key", 6],
    ]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("does not trouble keys that objects inherit", () => {
    const { documents } = parse(`${secret}stringData: {constructor: a, toString: b}\n`);
    expect(documents[0]?.value["stringData"]).toEqual({ constructor: "a", toString: "b" });
  });
});
