// The processes of a gateway: who they are, whether they live. Only ever those that a story started itself.
import { readFileSync } from "node:fs";
import { eventually } from "./eventually.ts";
import type { Gateway, Program } from "./gateway.ts";

/** `kill -9`. */
export function kill(pid: number): void {
  process.kill(pid, "SIGKILL");
}

/** False also for one that has ended and only waits for its parent to notice. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch (error) {
    // A system without /proc: it answered the signal.
    return (error as NodeJS.ErrnoException).code === "ENOENT" && process.platform !== "linux";
  }
}

export async function untilGone(pids: readonly number[]): Promise<void> {
  await eventually(`the end of ${pids.join(", ")}`, () => (pids.some(isAlive) ? null : true));
}

/** The process that wrote the last log line under this name: `edge` is the primary, `ctrl` the control plane. */
export function pidOf(program: Program, name: "ctrl" | "edge"): number {
  const line = program.stderr.lines.findLast((text) => text.includes(`"name":"${name}"`)) ?? "{}";
  return (JSON.parse(line) as { pid?: number }).pid ?? 0;
}

export async function workerPids(world: Gateway): Promise<number[]> {
  const { edges } = await world.status();
  return edges.flatMap(({ workers }) => workers.map(({ pid }) => pid));
}
