// The pure parts of the commands that push: names, tables, differences, and whose line a finding is about.
import { describe, expect, it } from "vitest";
import { joinTexts } from "../src/cli/joined-texts.ts";
import { diffLines } from "../src/cli/line-diff.ts";
import { describePending, type PushAnswer, renderPush } from "../src/cli/render-push.ts";
import { parseKind, parseResource } from "../src/cli/resource-names.ts";
import { hasColour } from "../src/cli/terminal.ts";
import { renderAge, renderTable } from "../src/cli/text-table.ts";

function finding(file: string, line: number) {
  return { severity: "error", code: "x", message: "", file, line, column: 3, path: "", resource: "" } as const;
}

describe("joined files", () => {
  it("are one body, whose lines lead back to each file", () => {
    const { body, toPlace } = joinTexts([
      { file: "a.yaml", text: "kind: A\nname: a" },
      { file: "b.json", text: '{"kind": "B"}\n' },
      { file: "c.yaml", text: "%YAML 1.2\n---\nkind: C\n" },
    ]);
    expect(body).toBe('kind: A\nname: a\n---\n{"kind": "B"}\n...\n%YAML 1.2\n---\nkind: C\n');
    const places = [1, 2, 4, 8].map((line) => toPlace(finding("body", line)));
    expect(places.map(({ file, line }) => `${file}:${line}`)).toEqual(["a.yaml:1", "a.yaml:2", "b.json:1", "c.yaml:3"]);
    const other = finding("config/x.yaml", 7);
    expect(toPlace(other)).toBe(other);
  });
});

describe("a line difference", () => {
  const show = (before: string, after: string) =>
    diffLines(before.split(""), after.split("")).map((line) => (line === null ? "..." : line.sign + line.text));

  it("keeps what both have, with a few lines around what differs", () => {
    expect(show("abcdefghij", "abcdeXghij")).toEqual([" c", " d", " e", "-f", "+X", " g", " h", " i"]);
    expect(show("1abcdefgh2", "3abcdefgh4")).toEqual([
      "-1",
      "+3",
      " a",
      " b",
      " c",
      "...",
      " f",
      " g",
      " h",
      "-2",
      "+4",
    ]);
    expect(show("", "ab")).toEqual(["+a", "+b"]);
    expect(show("ab", "")).toEqual(["-a", "-b"]);
    expect(show("abc", "abc")).toEqual([]);
  });

  it("finds a longest common part, however the rest moved", () => {
    expect(show("axbycz", "abc")).toEqual([" a", "-x", " b", "-y", " c", "-z"]);
    expect(show("1abc", "abc2")).toEqual(["-1", " a", " b", " c", "+2"]);
  });
});

describe("names of resources", () => {
  it("are read as kubectl reads them", () => {
    const forms = ["vs", "VirtualService", "virtualservices", "VIRTUALSERVICE"];
    expect(new Set(forms.map(parseKind))).toEqual(new Set(["VirtualService"]));
    expect(["se", "serviceentries", "gateways", "endpoints", "endpointslices", "cm"].map(parseKind)).toEqual([
      "ServiceEntry",
      "ServiceEntry",
      "Gateway",
      "Endpoints",
      "EndpointSlice",
      "ConfigMap",
    ]);
    expect(parseResource("vs/shop", undefined)).toEqual({ kind: "VirtualService", name: "shop" });
    expect(parseResource("vs", "shop")).toEqual({ kind: "VirtualService", name: "shop" });
    expect(parseResource("vs", undefined)).toEqual({ kind: "VirtualService", name: null });
  });

  it("that are none are told so", () => {
    expect(() => parseKind("pods")).toThrow('there is no kind "pods"; known are Gateway');
    for (const [first, second] of [
      ["vs/", undefined],
      ["vs/a/b", undefined],
      ["vs/a", "b"],
    ] as const) {
      expect(() => parseResource(first, second)).toThrow('as "kind name" or "kind/name"');
    }
  });
});

describe("what people are shown", () => {
  const answer: PushAnswer = {
    number: 7,
    version: "abc",
    dryRun: false,
    changed: true,
    changes: [{ change: "changed", kind: "VirtualService", namespace: "default", name: "shop" }],
    diagnostics: [],
    convergence: {
      state: "pending",
      waitedMs: 10_000,
      edges: [
        {
          id: "one",
          state: "serving",
          version: "abc",
          workers: [
            { worker: 1, appliedMs: 4 },
            { worker: 2, appliedMs: 9 },
          ],
        },
        { id: "two", state: "pending", version: "old", workers: [] },
      ],
    },
  };

  it("is coloured on request only, and quotes nothing that would talk to the terminal", () => {
    expect(renderPush(answer, false)).toBe(
      "~ VirtualService default/shop changed\nversion 7 (abc) served by 1 of 2 edges, 2 workers, slowest in 9 ms\n",
    );
    expect(renderPush(answer, true)).toContain("\u001b[33m~ VirtualService default/shop changed\u001b[0m");
    const sly = { ...answer, changes: [{ change: "added", kind: "\u001b[2J", namespace: "n", name: "x" }] } as const;
    expect(renderPush({ ...sly, changes: [...sly.changes] }, false)).toContain("+ \\x1b[2J n/x added");
  });

  it("says which edge is behind, unless nobody wanted to wait", () => {
    expect(describePending(answer, 10)).toBe(
      "version 7 is stored, but not served everywhere within 10 s: two (pending)",
    );
    expect(describePending(answer, 0)).toBeNull();
  });

  it("is a table with its columns aligned, and no spaces at the ends of lines", () => {
    expect(
      renderTable(
        ["A", "BB"],
        [
          ["long", ""],
          ["x", "y"],
        ],
      ),
    ).toBe("A      BB\nlong\nx      y\n");
  });

  it("tells ages in the largest unit that still says something", () => {
    const ages = [5, 119, 120, 7199, 7200, 172_800].map((seconds) =>
      renderAge(new Date(0).toISOString(), seconds * 1000),
    );
    expect(ages).toEqual(["5s", "119s", "2m", "119m", "2h", "2d"]);
  });

  it("has no colour where there is no terminal, or NO_COLOR is set", () => {
    const before = { ...process.env };
    try {
      delete process.env["NO_COLOR"];
      process.env["TERM"] = "xterm";
      expect([hasColour({ isTTY: true }), hasColour({ isTTY: false }), hasColour({})]).toEqual([true, false, false]);
      process.env["NO_COLOR"] = "1";
      expect(hasColour({ isTTY: true })).toBe(false);
    } finally {
      process.env = before;
    }
  });
});
