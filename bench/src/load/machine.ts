// The machine: which cores contenders and load have, and what to print of it.
import { execFileSync } from "node:child_process";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

export interface Machine {
  /** For taskset: the cores of a contender with this many workers. */
  contenderCores(workers: number): string;
  /** The core of load and backend. */
  readonly loadCore: string;
  /** File descriptors that a process may have. 10,000 connections need a few more. */
  readonly openFiles: number;
}

const maxOpenFiles = 65_536;

/** The last core makes the load, so that the others are the contender's. With two cores two workers have to share one. */
export function layOut(cores = availableParallelism()): Machine {
  if (cores < 2) throw new Error("two cores are needed: one for the contender, one for load and backend");
  return {
    contenderCores: (workers) => (workers < cores ? `0-${workers - 1}` : `0-${cores - 2}`),
    loadCore: String(cores - 1),
    openFiles: Math.min(maxOpenFiles, hardLimit()),
  };
}

function hardLimit(): number {
  const text = execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }).trim();
  return text === "unlimited" ? maxOpenFiles : Number(text);
}

/** One line: processor, cores, memory, kernel, how busy it was before. */
export function describeMachine(): string {
  const load = loadavg()
    .map((value) => value.toFixed(2))
    .join(" ");
  const memory = (totalmem() / 2 ** 30).toFixed(0);
  const model = cpus()[0]?.model ?? "unknown processor";
  return `${model}, ${cpus().length} cores, ${memory} GiB, Linux ${release()}, load average before: ${load}`;
}
