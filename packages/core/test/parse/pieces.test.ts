import { describe, expect, it } from "vitest";
import { ParseMemory, parseSources } from "../../src/parse/index.ts";
import { cutPieces } from "../../src/parse/pieces.ts";

const map = (name: string) => `kind: ConfigMap\napiVersion: v1\nmetadata: { name: ${name} }\ndata: { a: b }\n`;

function parse(text: string, memory = new ParseMemory()) {
  return parseSources([{ file: "a.yaml", text }], { defaultNamespace: "default", memory });
}

describe("a text is cut", () => {
  it("before every marker at the start of a line, whatever ends the line, and nowhere else", () => {
    const text = "# a\n--- # b\nc: ---\n ---\n---d\n---\r\n---\te\n---";
    expect(cutPieces(text).map((piece) => piece.text)).toEqual([
      "# a\n",
      "--- # b\nc: ---\n ---\n---d\n",
      "---\r\n",
      "---\te\n",
      "---",
    ]);
    expect(cutPieces(text).map(({ linesBefore }) => linesBefore)).toEqual([0, 1, 5, 6, 7]);
  });

  it("not at all when a line may be a directive, which is for the document after the marker", () => {
    expect(cutPieces("a: 1\n...\n%TAG ! x:\n---\nb: 2\n")).toHaveLength(1);
    expect(cutPieces("%YAML 1.2\n---\nb: 2\n")).toHaveLength(1);
  });

  it("also where the marker looks like content: YAML ends quotes and block scalars there", () => {
    const { documents, diagnostics } = parse(`text: "open\n---\n${map("a")}---\ntext: |\n  block\n---\n${map("b")}`);
    expect(documents.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(diagnostics.map(({ code, line }) => `${code}:${line}`)).toEqual(["yaml-syntax:2", "missing-kind:8"]);
  });
});

describe("a document that was read before", () => {
  it("is the same object while it stands where it stood", () => {
    const memory = new ParseMemory();
    const [, before] = parse(`${map("a")}---\n${map("b")}`, memory).documents;
    const [, after] = parse(`${map("c")}---\n${map("b")}`, memory).documents;
    expect(after).toBe(before);
  });

  it("keeps its value and knows its new lines when it moved", () => {
    const memory = new ParseMemory();
    const [, before] = parse(`${map("a")}---\n${map("b")}`, memory).documents;
    const [, after] = parse(`#\n#\n${map("a")}---\n${map("b")}`, memory).documents;
    expect(after?.value).toBe(before?.value);
    expect(after?.locate(["data", "a"])).toEqual({ file: "a.yaml", line: 11, column: 9 });
    expect(before?.locate(["data", "a"])).toEqual({ file: "a.yaml", line: 9, column: 9 });
  });

  it("twice in a text is two documents at two places", () => {
    const memory = new ParseMemory();
    const text = `---\n${map("a")}---\n${map("a")}`;
    const first = parse(text, memory);
    expect(first.diagnostics.map(({ code, line }) => [code, line])).toEqual([["duplicate-resource", 9]]);
    expect(parse(text, memory)).toEqual(first);
  });

  it("is forgotten when one round did without it", () => {
    const memory = new ParseMemory();
    const [before] = parse(map("a"), memory).documents;
    parse(map("b"), memory);
    const [after] = parse(map("a"), memory).documents;
    expect(after).not.toBe(before);
    expect(after).toEqual(before);
  });
});
