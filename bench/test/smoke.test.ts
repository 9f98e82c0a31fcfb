// `pnpm bench load` as a user runs it, as short as it goes. What it measures here means nothing; that it measures is what is tested.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { Report } from "../src/load/load-bench.ts";
import { assertPrograms } from "../src/load/programs.ts";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));

function whyNot(): string | null {
  if (availableParallelism() < 2) return "the bench needs two cores";
  try {
    assertPrograms();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const obstacle = whyNot();
if (obstacle !== null) console.warn(`THE BENCH IS NOT TRIED: ${obstacle}`);

test.skipIf(obstacle !== null)("a short run prints tables, and writes JSON and a page", async () => {
  const directory = await mkdtemp(join(tmpdir(), "sluice-bench-test-"));
  const json = join(directory, "results.json");
  const page = join(directory, "report.html");
  const scenarios = ["--only", "small-plain,small-h2", "--contenders", "nginx,own"];
  const size = ["--rounds", "1", "--seconds", "1", "--json", json, "--report", page];
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, "load", ...scenarios, ...size]);
    expect(stdout).toMatch(/^\| small-plain \| own \| [\d,]+ \| [\d.]+ \|.* \| 0 \| [\d.]+ \([\d.]+–[\d.]+\) \|/m);
    expect(stderr).toMatch(/\[\d+\/\d+, \d+ s left\] small-plain own, round 1\/1: /);
    const report = JSON.parse(await readFile(json, "utf8")) as Report;
    const measured = report.rows.map(({ scenario, contender, rounds }) => `${scenario} ${contender} ${rounds.length}`);
    expect(measured).toEqual(["small-plain nginx 1", "small-plain own 1", "small-h2 nginx 1", "small-h2 own 1"]);
    for (const { rounds } of report.rows) for (const { cpuUs } of rounds) expect(cpuUs).toBeGreaterThan(0);
    expect(await readFile(page, "utf8")).toMatch(/<svg [^]*small-plain[^]*<\/html>/);
  } finally {
    await rm(directory, { recursive: true });
  }
});
