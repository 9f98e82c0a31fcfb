// From samples to rows, tables and goals.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { kinds } from "../src/load/contenders/kinds.ts";
import { goalRows, goals } from "../src/load/goals.ts";
import { readArguments } from "../src/load/options.ts";
import { rowsOf } from "../src/load/results.ts";
import type { EntryResult, ScenarioResult } from "../src/load/run.ts";
import { type Scenario, scenarios } from "../src/load/scenarios.ts";
import { resultTables, summaryTable } from "../src/load/table.ts";
import { fillIn } from "../src/load/template.ts";
import { parseTicks } from "../src/load/usage.ts";

function scenarioNamed(name: string): Scenario {
  const scenario = scenarios.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`no scenario ${name}`);
  return scenario;
}

function entry(contender: string, cpuUs: readonly number[], rest: Partial<EntryResult> = {}): EntryResult {
  const samples = cpuUs.map((value) => ({ perSecond: 1e6 / value, cpuUs: value, errors: 1 }));
  return { contender, isBaseline: false, engine: null, samples, failure: null, ...rest };
}

const result: ScenarioResult = {
  scenario: scenarioNamed("small-plain"),
  entries: [
    entry("nginx", [10, 20, 12]),
    entry("haproxy", [], { failure: "it ended" }),
    entry("http-proxy-3", [100, 100, 100]),
    entry("fast-gateway", [80, 90, 80]),
    entry("auto", [20, 40, 30], { engine: "uws" }),
  ],
};

describe("rows", () => {
  const rows = rowsOf(result, kinds);
  const auto = rows.find(({ contender }) => contender === "auto");

  test("compare round by round with each peer, and with the best of the Node proxies", () => {
    expect(auto?.ratios.nginx).toEqual({ median: 2, min: 2, max: 2.5 });
    expect(auto?.bestNodeProxy).toBe("fast-gateway");
    expect(auto?.ratios.bestNodeProxy).toEqual({ median: 0.375, min: 0.25, max: 40 / 90 });
  });

  test("have no ratio to a peer that was not measured", () => expect(auto?.ratios.haproxy).toBeUndefined());

  test("have medians, and errors of all rounds", () => {
    expect(auto?.medians).toEqual({ perSecond: 1e6 / 30, cpuUs: 30, errors: 3 });
  });

  test("become a table in Markdown that says who was not measured", () => {
    const text = resultTables(rows);
    expect(text).toContain("| scenario | contender | requests/s | CPU µs a request | errors | against nginx |");
    expect(text).toContain("| small-plain | auto (uws) | 33,333 | 30.0 | 3 | 2.00 (2.00–2.50) |");
    expect(text).toContain("- small-plain, haproxy was not measured: it ended");
  });

  test("become a line a scenario in the summary", () => {
    expect(summaryTable(rows).split("\n")).toEqual([
      "| CPU µs a request | nginx | http-proxy-3 | fast-gateway | auto |",
      "| --- | --- | --- | --- | --- |",
      "| small answers, plain HTTP/1.1 | 12.0 | 100.0 | 80.0 | 30.0 |",
    ]);
  });

  test("become goals, reached or with the gap", () => {
    expect(goalRows(rows)).toEqual([
      ["small-plain", "auto", "CPU a request", "nginx", "≤ 1", "2.00 (2.00–2.50)", "no, 2.00 times"],
      ["small-plain", "auto", "CPU a request", "best Node proxy", "≤ 0.4", "0.38 (0.25–0.44)", "yes"],
    ]);
  });
});

test("a baseline is what its contender is compared with", () => {
  const rows = rowsOf(
    {
      scenario: scenarioNamed("routes-10000"),
      entries: [entry("auto", [22]), entry("auto", [20], { isBaseline: true })],
    },
    kinds,
  );
  expect(rows.map(({ variant, ratios }) => [variant, ratios.baseline?.median])).toEqual([
    [null, 1.1],
    ["with 1 route", undefined],
  ]);
});

test("every goal is about a scenario and a contender that there are", () => {
  for (const { scenario, contender } of goals) {
    expect(scenarios.map(({ name }) => name)).toContain(scenario);
    expect(kinds.map(({ name }) => name)).toContain(contender);
  }
});

describe("arguments", () => {
  test("pick scenarios and contenders, in the bench's order", () => {
    const options = readArguments([
      "--only",
      "small-h2, small-plain",
      "--contenders",
      "auto,nginx",
      "--seconds",
      "1.5",
    ]);
    if (typeof options === "string") throw new Error(options);
    expect(options.scenarios.map(({ name }) => name)).toEqual(["small-plain", "small-h2"]);
    expect(options.kinds.map(({ name }) => name)).toEqual(["nginx", "auto"]);
    expect(options.seconds).toBe(2);
  });

  test.each([
    [["--only", "smal-plain"], /no scenario "smal-plain"/],
    [["--rounds", "0"], /--rounds takes a number above 0/],
    [["--fast"], /--fast/],
  ])("%j is refused", (args, message) => expect(() => readArguments(args)).toThrow(message));

  test("--list names every scenario and contender", () => {
    const text = readArguments(["--list"]);
    for (const { name } of [...scenarios, ...kinds]) expect(text).toContain(`  ${name} `);
  });
});

describe("a peer's configuration", () => {
  test("is filled in", () => expect(fillIn("listen {{port}} {{port}};", { port: 80 })).toBe("listen 80 80;"));
  test("needs every value", () => expect(() => fillIn("{{port}}", {})).toThrow("no value for {{port}}"));
  test("has a place for every value", () => expect(() => fillIn("", { port: 80 })).toThrow("no place for port"));
});

test("Envoy's configuration, which no binary has read here, is YAML, and every door has the same filters", () => {
  const text = readFileSync(new URL("../peers/envoy.yaml", import.meta.url), "utf8");
  const ports = { admin: 1, plain: 2, tls: 3, h2: 4, mtls: 5, backend: 6 };
  const files = { certificate: "/tls.crt", key: "/tls.key", ca: "/ca.crt" };
  const { static_resources } = parse(fillIn(text, { ...ports, ...files, accessLog: "[]", virtualHosts: "[]" })) as {
    readonly static_resources: {
      readonly listeners: readonly { readonly name: string; readonly filter_chains: readonly object[] }[];
    };
  };
  expect(static_resources.listeners.map(({ name }) => name)).toEqual(["plain", "tls", "h2", "mtls"]);
  const [plain, ...others] = static_resources.listeners.map(({ filter_chains }) => filter_chains[0]);
  expect(plain).toMatchObject({ filters: [{ typed_config: { use_remote_address: true } }] });
  for (const chain of others) expect(chain).toMatchObject(plain ?? {});
});

test("CPU time is read behind a name with blanks and brackets, with that of children that have ended", () => {
  const stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 7 5 30 2 20 0 1 0 100 1000 10";
  expect(parseTicks(stat)).toBe(44);
});
