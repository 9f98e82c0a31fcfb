// The command line of `pnpm bench load`.
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { kinds } from "./contenders/kinds.ts";
import type { ContenderKind } from "./contender.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

const bench = fileURLToPath(new URL("../../", import.meta.url));

export interface Options {
  readonly scenarios: readonly Scenario[];
  readonly kinds: readonly ContenderKind[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly json: string;
  /** Null: no page. */
  readonly report: string | null;
}

export const usage = `Usage: pnpm bench [load] [options]

  --only a,b          these scenarios (default: all; see --list)
  --contenders a,b    these contenders (default: all that are installed)
  --rounds N          rounds of each scenario; the median counts (default 3; BENCH_ROUNDS)
  --seconds N         of load in each round (default 4; BENCH_SECONDS)
  --warm-up N         seconds of load before the first round (default: half of --seconds, at most 2)
  --json FILE         where to write every number (default bench/results.json)
  --report FILE       where to write the page of plots (default bench/report.html); off: none
  --list              scenarios and contenders
  --help

What is measured and how: bench/README.md.
`;

/** What --list prints. */
export function list(): string {
  const line = (name: string, text: string) => `  ${name.padEnd(20)} ${text}\n`;
  const scenarioLines = scenarios.map(({ name, title, baseline }) =>
    line(name, baseline === undefined ? title : `${title}; beside it ${baseline.title}`),
  );
  const kindLines = kinds.map((kind) => {
    const missing = kind.missing();
    return line(kind.name, missing === null ? kind.title : `${kind.title} (${missing})`);
  });
  return ["Scenarios\n", ...scenarioLines, "\nContenders\n", ...kindLines].join("");
}

/** Reads the arguments. A string is what to print instead of measuring. Throws with a sentence on what it does not know. */
export function readArguments(args: readonly string[]): Options | string {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: text,
      contenders: text,
      rounds: { ...text, default: process.env["BENCH_ROUNDS"] ?? "3" },
      seconds: { ...text, default: process.env["BENCH_SECONDS"] ?? "4" },
      "warm-up": text,
      json: { ...text, default: `${bench}results.json` },
      report: { ...text, default: `${bench}report.html` },
      list: flag,
      help: flag,
    },
  });
  if (values.help) return usage;
  if (values.list) return list();
  const seconds = positive("--seconds", values.seconds);
  const warmUp = values["warm-up"];
  return {
    scenarios: pick("scenario", scenarios, values.only),
    kinds: pick("contender", kinds, values.contenders),
    rounds: Math.ceil(positive("--rounds", values.rounds)),
    // wrk takes whole seconds only.
    seconds: Math.ceil(seconds),
    warmUpSeconds: Math.ceil(warmUp === undefined ? Math.min(2, seconds / 2) : positive("--warm-up", warmUp)),
    json: values.json,
    report: values.report === "off" ? null : values.report,
  };
}

function pick<T extends { readonly name: string }>(what: string, all: readonly T[], names: string | undefined) {
  if (names === undefined) return all;
  const wanted = names.split(",").map((name) => name.trim());
  const unknown = wanted.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) throw new Error(`there is no ${what} "${unknown}"; --list shows what there is`);
  return all.filter(({ name }) => wanted.includes(name));
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new Error(`${name} takes a number above 0, not "${text}"`);
  return value;
}
