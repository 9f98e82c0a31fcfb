// CPU time of a contender: all its processes, user and system, from /proc (Linux).
import { readFile } from "node:fs/promises";

/** One tick of /proc/PID/stat, in microseconds (USER_HZ is 100 on every Linux of today). */
const tickUs = 10_000;

/** CPU microseconds that these processes have used so far. A process that is gone counts 0. */
export async function cpuTimeUs(pids: readonly number[]): Promise<number> {
  const ticks = await Promise.all(pids.map(ticksOf));
  return ticks.reduce((sum, value) => sum + value, 0) * tickUs;
}

async function ticksOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  // Fields 14 and 15, counted behind the command's name, which may hold blanks.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** The process and everything below it. */
export async function processTree(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const pids = children
    .split(" ")
    .filter((text) => text !== "")
    .map(Number);
  return [pid, ...(await Promise.all(pids.map(processTree))).flat()];
}
