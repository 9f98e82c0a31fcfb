// What every micro-benchmark shares: the clock and the table it prints.
import Benchmark from "benchmark";

/** Nanoseconds a call, by `benchmark`: enough samples for a margin of error, which is printed while it runs. */
export async function timeNs(name: string, call: () => unknown): Promise<number> {
  const benchmark = new Benchmark(name, call, { maxTime: Number(process.env["BENCH_SECONDS"] ?? 1) });
  await new Promise<void>((resolve, reject) => {
    benchmark.on("complete", () => resolve());
    benchmark.on("error", () => reject(new Error(`${name} failed`)));
    benchmark.run({ async: true });
  });
  const { mean, rme } = benchmark.stats;
  process.stderr.write(`${name}: ${(mean * 1e9).toFixed(1)} ns ±${rme.toFixed(1)} %\n`);
  return mean * 1e9;
}

/** Prints a table in Markdown on standard output. */
export function printTable(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const lines = [title, "", line(columns), line(columns.map(() => "---")), ...rows.map(line), ""];
  process.stdout.write(`${lines.join("\n")}\n`);
}
