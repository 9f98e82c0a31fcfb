// The most memory that processes hold while they are watched, from /proc (Linux).
import { readFile } from "node:fs/promises";

const lookEveryMs = 20;

async function residentBytes(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1024;
    }),
  );
  return each.reduce((sum, bytes) => sum + bytes, 0);
}

/** Watches from now on; the function it resolves to ends that and tells by how many bytes they had grown at most. */
export async function watchMemory(pids: readonly number[]): Promise<() => number> {
  const before = await residentBytes(pids);
  let peak = before;
  const timer = setInterval(
    () => void residentBytes(pids).then((bytes) => (peak = Math.max(peak, bytes))),
    lookEveryMs,
  );
  return () => {
    clearInterval(timer);
    return peak - before;
  };
}
