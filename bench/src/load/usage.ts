// What a contender has used of the machine: CPU time and memory of all its processes, from /proc (Linux).
import { readFile } from "node:fs/promises";
import { processTree } from "./processes.ts";

/** One tick of /proc/PID/stat, in microseconds (USER_HZ is 100 on every Linux of today). The kernel accounts finer and rounds here. */
const tickUs = 10_000;

/**
 * CPU microseconds, user and system, that a process and everything below it has used so far. Of children that have ended, such as the workers
 * before a reload, the time is in their parent's sum.
 */
export async function cpuTimeUs(rootPid: number): Promise<number> {
  const ticks = await Promise.all(processTree(rootPid).map(ticksOf));
  return ticks.reduce((sum, value) => sum + value, 0) * tickUs;
}

async function ticksOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
  return text === "" ? 0 : parseTicks(text);
}

/** utime, stime, cutime and cstime (fields 14 to 17), counted behind the command's name, which may hold blanks and brackets. */
export function parseTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}

export interface Memory {
  /** Resident pages; those that processes share count for each of them. */
  readonly rssMib: number;
  /** Proportional: a page shared by n processes counts an nth for each. */
  readonly pssMib: number;
}

/** Memory of these processes together. */
export async function memoryOf(pids: readonly number[]): Promise<Memory> {
  const texts = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "")));
  const sum = (field: RegExp) => texts.reduce((total, text) => total + Number(field.exec(text)?.[1] ?? 0), 0) / 1024;
  return { rssMib: sum(/^Rss:\s+(\d+) kB/m), pssMib: sum(/^Pss:\s+(\d+) kB/m) };
}

/** Memory of a contender, all its processes. */
export function memoryOfTree(rootPid: number): Promise<Memory> {
  return memoryOf(processTree(rootPid));
}
