// `pnpm bench load`: Sluice beside its peers on this machine. See bench/README.md for the method.
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBackends } from "./backend.ts";
import { writeCertificates } from "./certificates.ts";
import type { ContenderKind } from "./contender.ts";
import { goalTable } from "./goals.ts";
import { describeMachine, layOut } from "./machine.ts";
import { type Options, readArguments } from "./options.ts";
import { Processes } from "./processes.ts";
import { assertPrograms } from "./programs.ts";
import { Progress } from "./progress.ts";
import { type Row, rowsOf } from "./results.ts";
import { renderReport } from "./report.ts";
import { plansOf, Runner } from "./run.ts";
import { resultTables, summaryTable } from "./table.ts";

/** All that a run found out. What `--json` writes. */
export interface Report {
  readonly startedAt: string;
  readonly machine: string;
  readonly versions: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  /** Contenders that are not there, and why. */
  readonly skipped: readonly string[];
  /** Why not all scenarios are there; null when they are. */
  readonly endedEarly: string | null;
  readonly rows: readonly Row[];
}

/** Runs what the arguments say; prints tables, writes JSON and the page. */
export async function benchLoad(args: readonly string[]): Promise<void> {
  try {
    const options = readArguments(args);
    if (typeof options === "string") return void process.stdout.write(options);
    assertPrograms();
    await runBench(options);
  } catch (error) {
    process.stderr.write(`pnpm bench load: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function runBench(options: Options): Promise<void> {
  const kinds = options.kinds.filter((kind) => kind.missing() === null);
  const skipped = options.kinds.flatMap((kind) => (kind.missing() === null ? [] : [`${kind.name}: ${kind.missing()}`]));
  for (const text of skipped) process.stderr.write(`SKIPPED ${text}\n`);
  const report: Omit<Report, "rows" | "endedEarly"> = {
    startedAt: new Date().toISOString(),
    machine: describeMachine(),
    versions: [...new Set(kinds.map((kind) => kind.version()))],
    rounds: options.rounds,
    seconds: options.seconds,
    skipped,
  };
  const rows: Row[] = [];
  let endedEarly: string | null = null;
  try {
    await measureAll(options, kinds, rows);
  } catch (error) {
    // An hour's work is not thrown away.
    if (rows.length === 0) throw error;
    endedEarly = error instanceof Error ? error.message : String(error);
    process.stderr.write(`ENDED EARLY: ${endedEarly}. What was measured until then:\n`);
    process.exitCode = 1;
  }
  await finish({ ...report, endedEarly, rows }, options);
}

/** Starts everything, measures into `rows`, and ends everything, whatever happens. */
async function measureAll(options: Options, kinds: readonly ContenderKind[], rows: Row[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  await chmod(directory, 0o755);
  const processes = new Processes();
  const abort = new AbortController();
  const onSignal = (name: string) => abort.abort(new Error(`ended by ${name}`));
  // Not `once`: a signal often comes twice, from the terminal and from pnpm, and the second must not end us while we clean up.
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  // Whatever is waited for, it ends now.
  abort.signal.addEventListener("abort", () => void processes.stopAll());
  const steps = countSteps(options, kinds);
  const watchdog = setTimeout(
    () => abort.abort(new Error("it takes far too long")),
    steps * (options.seconds + 15) * 1000,
  );
  try {
    const machine = layOut();
    await writeCertificates(directory);
    const ports = await startBackends({ processes, machine, directory });
    const world = { processes, machine, directory, ...ports };
    const tools = { processes, machine, directory, signal: abort.signal };
    const runner = new Runner(world, tools, options, new Progress(steps));
    for (const scenario of options.scenarios) rows.push(...rowsOf(await runner.run(scenario, kinds), kinds));
  } finally {
    clearTimeout(watchdog);
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    await processes.stopAll();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Measurements to come, warm-ups among them. Tells how many there are, and about how long they take. */
function countSteps({ scenarios, rounds, seconds }: Options, kinds: readonly ContenderKind[]): number {
  const steps = scenarios.reduce((sum, each) => sum + plansOf(each, kinds).length, 0) * (rounds + 1);
  const minutes = Math.ceil((steps * (seconds + 1)) / 60);
  process.stderr.write(`${steps} measurements of ${seconds} s: about ${minutes} minutes\n`);
  return steps;
}

async function finish(report: Report, options: Options): Promise<void> {
  const { machine, versions, rows, rounds, seconds } = report;
  const heading = `${machine}; ${versions.join(", ")}; ${rounds} rounds of ${seconds} s, median (min–max)`;
  const parts = [heading, summaryTable(rows), goalTable(rows), resultTables(rows)];
  process.stdout.write(`${parts.filter((part) => part !== "").join("\n\n")}\n`);
  await writeFile(options.json, `${JSON.stringify(report, null, 1)}\n`);
  process.stderr.write(`Every number: ${options.json}\n`);
  if (options.report !== null) {
    await writeFile(options.report, renderReport(report));
    process.stderr.write(`Plots: ${options.report}\n`);
  }
  if (rows.some(({ failure }) => failure !== null)) process.exitCode = 1;
}
