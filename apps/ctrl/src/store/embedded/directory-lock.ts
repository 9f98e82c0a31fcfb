// One ctrl a directory. Node.js has no flock, so the lock is a file that names its process, and a dead process holds nothing.
//
// Locks are numbered and only ever made, by `link`, which fails where the name is taken: of several that find number 3 dead, one makes
// number 4. A lock that were removed and made again under one name could be removed by one who was about to remove the dead one.
import { randomUUID } from "node:crypto";
import { link, readdir, readFile, unlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

const prefix = "lock.";

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process started, as the kernel counts; null where it does not tell. A number that is used again has another. */
  readonly started: string | null;
}

/** @returns what gives the directory back. @throws Error that names who has it */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  for (;;) {
    const last = (await lockNumbers(directory)).at(-1) ?? 0;
    if (last > 0) await refuseHeld(pathOf(directory, last));
    const mine = last + 1;
    if (!(await makeLock(directory, mine))) continue;
    const numbers = await lockNumbers(directory);
    if (numbers.at(-1) !== mine) {
      await remove(pathOf(directory, mine));
      continue;
    }
    for (const number of numbers) if (number < mine) await remove(pathOf(directory, number));
    return async () => await remove(pathOf(directory, mine));
  }
}

async function lockNumbers(directory: string): Promise<number[]> {
  const names = (await readdir(directory)).filter((name) => /^lock\.\d+$/.test(name));
  return names.map((name) => Number(name.slice(prefix.length))).toSorted((left, right) => left - right);
}

function pathOf(directory: string, number: number): string {
  return join(directory, `${prefix}${number}`);
}

/** False: another process was quicker. */
async function makeLock(directory: string, number: number): Promise<boolean> {
  const temporary = join(directory, `.${randomUUID()}`);
  const holder: Holder = { pid: process.pid, host: hostname(), started: await startOf(process.pid) };
  await writeFile(temporary, JSON.stringify(holder), { mode: 0o600 });
  try {
    await link(temporary, pathOf(directory, number));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(temporary);
  }
}

async function refuseHeld(path: string): Promise<void> {
  const text = await readFile(path, "utf8").catch(() => null);
  // Given back just now.
  if (text === null) return;
  const holder = parseHolder(text);
  if (holder === null) throw new Error(`${path} is no lock of ctrl; remove it if no ctrl uses the directory`);
  if (holder.host !== hostname()) {
    throw new Error(`${path}: process ${holder.pid} on ${holder.host} uses the store; remove the file if it is gone`);
  }
  if (await isAlive(holder)) throw new Error(`another ctrl is running: process ${holder.pid} uses the store (${path})`);
}

function parseHolder(text: string): Holder | null {
  try {
    const { pid, host, started } = JSON.parse(text) as Partial<Holder>;
    if (typeof pid !== "number" || typeof host !== "string") return null;
    return { pid, host, started: typeof started === "string" ? started : null };
  } catch {
    return null;
  }
}

async function isAlive({ pid, started }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  const now = await startOf(pid);
  return started === null || now === null || started === now;
}

/** Of Linux: state and start time since boot, which follow the name in parentheses. A zombie has given up everything it held. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? "ended" : (fields[19] ?? null);
}

async function remove(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
}
