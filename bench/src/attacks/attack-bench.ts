// `pnpm bench attacks`: what each known attack on HTTP/2 costs a worker of Sluice, on its own codec, and one of nginx: CPU seconds, memory, when the
// connection ends, and what an honest client feels. The attacked has one core; attacker, backend and honest client share the last. Needs Linux,
// taskset and nginx.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type AttackName, attacks } from "@sluice/http2-frames/attacks";
import { writeCertificates } from "../load/certificates.ts";
import { layOut } from "../load/machine.ts";
import { Processes } from "../load/processes.ts";
import { cpuTimeUs } from "../load/usage.ts";
import { printTable } from "../micro/measure.ts";
import type { AttackOrder, AttackOutcome } from "./attacker.ts";
import { type Experience, HonestClient } from "./honest-client.ts";
import { watchMemory } from "./peak-memory.ts";
import { type Attacked, startAttackBackend, startAttackedNginx, startAttackedSluice } from "./world.ts";

const run = promisify(execFile);
const seconds = Number(process.env["BENCH_SECONDS"] ?? 3);
/** Of those who wait; a flood is one connection, for it has all the CPU it can use. */
const waitingConnections = 20;
const warmUpRequests = 100;
const MiB = 1024 * 1024;

const starters = { nginx: startAttackedNginx, sluice: startAttackedSluice } as const;

interface Measured extends Experience {
  readonly cpuSeconds: number;
  readonly grownBytes: number;
  readonly outcome: AttackOutcome | null;
}

export async function benchAttacks(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "sluice-bench-"));
  const backend = await startAttackBackend();
  const processes = new Processes();
  const machine = layOut();
  const start = (who: keyof typeof starters) =>
    starters[who]({ processes, directory, core: machine.contenderCores(1), backend });
  try {
    await writeCertificates(directory);
    const rows: string[][] = [];
    for (const attack of [null, ...attacks]) {
      for (const who of ["nginx", "sluice"] as const) {
        // A new process for each: what one attack has left is not the next one's.
        const measured = await measure(attack?.name ?? null, await start(who), machine.loadCore);
        rows.push([attack?.name ?? "none", who, ...cellsOf(measured)]);
        process.stderr.write(`${rows.at(-1)?.join("  ")}\n`);
      }
    }
    const load = loadavg()[0]?.toFixed(1);
    const title = `${seconds} s of each attack; one worker each; node ${process.version}; load average ${load}`;
    const columns = [
      "attack",
      "attacked",
      "CPU s",
      "grown MiB",
      "MiB sent",
      "connections",
      "ended",
      "honest p50 ms",
      "p99 ms",
      "failed",
    ];
    printTable(title, columns, rows);
  } finally {
    await processes.stopAll();
    backend.close();
    await rm(directory, { recursive: true });
  }
}

/**
 * @param attack null: none, to compare with
 * @param core the attacker's, for taskset
 */
async function measure(attack: AttackName | null, attacked: Attacked, core: string): Promise<Measured> {
  const { port, workerPids } = attacked;
  const client = new HonestClient(port);
  try {
    const { failures } = await client.ask((count) => count >= warmUpRequests);
    if (failures > 0) throw new Error("an honest client is not served before the attack");
    const cpuBefore = await cpuSecondsOf(workerPids);
    const grown = await watchMemory(workerPids);
    let isOver = false;
    const attacking = (attack === null ? rest() : launch(attack, { port, core })).finally(() => (isOver = true));
    const experience = await client.ask(() => isOver);
    const outcome = await attacking;
    const cpuSeconds = (await cpuSecondsOf(workerPids)) - cpuBefore;
    return { ...experience, cpuSeconds, grownBytes: grown(), outcome };
  } finally {
    client.close();
    await attacked.stop();
  }
}

async function cpuSecondsOf(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map(cpuTimeUs));
  return each.reduce((sum, us) => sum + us, 0) / 1e6;
}

async function rest(): Promise<null> {
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return null;
}

/** Behind everybody else in the queue of its core, so that the honest client is not slow for the attacker's own needs. */
async function launch(
  attack: AttackName,
  { port, core }: { readonly port: number; readonly core: string },
): Promise<AttackOutcome> {
  const waits = attacks.find(({ name }) => name === attack)?.piece === null;
  const order: AttackOrder = { attack, port, seconds, connections: waits ? waitingConnections : 1 };
  const program = fileURLToPath(new URL("attacker.js", import.meta.url));
  const args = ["-n", "19", "taskset", "-c", core, process.execPath, program, JSON.stringify(order)];
  const { stdout } = await run("nice", args);
  return JSON.parse(stdout) as AttackOutcome;
}

function cellsOf({ cpuSeconds, grownBytes, outcome, medianMs, p99Ms, failures }: Measured): string[] {
  const felt = [medianMs.toFixed(1), p99Ms.toFixed(1), String(failures)];
  const spent = [cpuSeconds.toFixed(2), (grownBytes / MiB).toFixed(0)];
  if (outcome === null) return [...spent, "0", "0", "–", ...felt];
  return [...spent, (outcome.sentBytes / MiB).toFixed(1), String(outcome.connections), describeEnd(outcome), ...felt];
}

function describeEnd({ firstEndMs, code }: AttackOutcome): string {
  if (firstEndMs === null) return "never";
  return `after ${firstEndMs.toFixed(0)} ms${code === null ? "" : `, code ${code}`}`;
}
