// What every micro-benchmark shares: the clock, the count of what is allocated, and the tables they print.
import { cpus, loadavg } from "node:os";
import { GCProfiler } from "node:v8";
import Benchmark from "benchmark";

export interface Measure {
  readonly name: string;
  readonly nanoseconds: number;
  /** Relative margin of error in per cent. */
  readonly marginPercent: number;
  /** Of the heap, a call; what Buffers hold is not among them. */
  readonly allocatedBytes: number;
}

/** Where results go: V8 does not make what nobody takes. */
const taken: { result: unknown } = { result: undefined };

/** What a call costs, by `benchmark`: enough samples for a margin of error, which is printed while it runs. */
export async function measure(name: string, call: () => unknown): Promise<Measure> {
  const run = (): void => {
    taken.result = call();
  };
  const benchmark = new Benchmark(name, run, { maxTime: Number(process.env["BENCH_SECONDS"] ?? 1) });
  await new Promise<void>((resolve, reject) => {
    benchmark.on("complete", () => resolve());
    benchmark.on("error", () => reject(new Error(`${name} failed`)));
    benchmark.run({ async: true });
  });
  const { mean, rme } = benchmark.stats;
  process.stderr.write(`${name}: ${formatTime(mean * 1e9)} ns ±${rme.toFixed(1)} %\n`);
  const allocatedBytes = countAllocations(run, mean);
  taken.result = undefined;
  return { name, nanoseconds: mean * 1e9, marginPercent: rme, allocatedBytes };
}

/** About this long, and a call at least: how often an allocation is counted. */
const countSeconds = 0.2;
const maxCounted = 200_000;

/** Bytes a call: what the heap has grown by, and what was collected meanwhile. Called when `call` is optimised already. */
function countAllocations(call: () => void, seconds: number): number {
  const calls = Math.max(1, Math.min(maxCounted, Math.round(countSeconds / seconds)));
  collectGarbage();
  const collections = new GCProfiler();
  collections.start();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < calls; i++) call();
  const after = process.memoryUsage().heapUsed;
  const { statistics } = collections.stop();
  const collected = statistics.reduce((sum, { beforeGC, afterGC }) => {
    return sum + beforeGC.heapStatistics.usedHeapSize - afterGC.heapStatistics.usedHeapSize;
  }, 0);
  return Math.max(0, (after - before + collected) / calls);
}

/** What is in use once nothing is garbage. */
export function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
  globalThis.gc();
}

/** @throws when an answer is not what it must be: what is wrong is not worth measuring */
export function assertIs(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} was found, not ${String(expected)}`);
}

let isMachinePrinted = false;

/** Prints what measures say, and before the first of them what they were measured on. */
export function printMeasures(title: string, measures: readonly Measure[]): void {
  if (!isMachinePrinted) printMachine();
  isMachinePrinted = true;
  const rows = measures.map(({ allocatedBytes, marginPercent, name, nanoseconds }) => [
    name,
    formatTime(nanoseconds),
    `±${marginPercent.toFixed(1)} %`,
    Math.round(1e9 / nanoseconds).toLocaleString("en"),
    Math.round(allocatedBytes).toLocaleString("en"),
  ]);
  printTable(title, ["", "ns", "margin", "a second", "bytes allocated"], rows);
}

/** Prints a table in Markdown on standard output. */
export function printTable(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const lines = [title, "", line(columns), line(columns.map(() => "---")), ...rows.map(line), ""];
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** What the numbers were measured on, and how busy it was. */
function printMachine(): void {
  const processors = cpus();
  const model = processors[0]?.model ?? "unknown processor";
  const { node, v8 } = process.versions;
  const load = loadavg()[0] ?? 0;
  process.stdout.write(
    `${processors.length} × ${model}, ${process.platform} ${process.arch}; Node.js ${node}, V8 ${v8}; load average ${load.toFixed(1)}\n\n`,
  );
}

function formatTime(nanoseconds: number): string {
  const digits = nanoseconds < 100 ? 1 : 0;
  return nanoseconds.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
