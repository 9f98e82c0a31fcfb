// Every process that the bench starts: pinned to cores, and ended with the bench however that ends.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const graceMs = 5000;

export interface StartOptions {
  /** For taskset. */
  readonly cores: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Standard output goes there; else it can be read from `child.stdout`. */
  readonly stdoutFile?: string;
}

export interface RunOptions extends StartOptions {
  readonly signal: AbortSignal;
  readonly limitMs: number;
}

/** A process of ours. */
export class Started {
  readonly child: ChildProcess;
  readonly pid: number;
  /** When it was started, as of `performance.now()`. */
  readonly startedAt = performance.now();
  /** The end of what it wrote to standard error, for the message of a failure. */
  stderr = "";
  readonly #exited: Promise<unknown>;

  constructor(child: ChildProcess) {
    this.child = child;
    this.pid = child.pid ?? 0;
    this.#exited = once(child, "exit").catch(() => []);
    child.stderr?.setEncoding("utf8");
    child.stderr?.on("data", (text: string) => (this.stderr = (this.stderr + text).slice(-2000)));
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null || this.pid === 0;
  }

  async ended(): Promise<void> {
    await this.#exited;
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const tree = processTree(this.pid);
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => kill(tree), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }
}

/** Starts processes, and knows all that still run. */
export class Processes {
  readonly #running = new Set<Started>();

  constructor() {
    // The last resort: an exception that nobody caught. (Should the bench itself be killed, setpriv has the kernel end its children.)
    process.once("exit", () => kill([...this.#running].flatMap(({ pid }) => processTree(pid))));
  }

  /** Starts a program on these cores. It gets SIGTERM from the kernel when the bench dies. */
  start(command: string, args: readonly string[], options: StartOptions): Started {
    const { cores, env = {}, stdoutFile } = options;
    const stdout = stdoutFile === undefined ? "pipe" : openSync(stdoutFile, "a");
    const pinned = ["--pdeathsig", "TERM", "taskset", "-c", cores, command, ...args];
    const child = spawn("setpriv", pinned, { stdio: ["ignore", stdout, "pipe"], env: { ...process.env, ...env } });
    if (typeof stdout === "number") closeSync(stdout);
    const started = new Started(child);
    this.#running.add(started);
    void started.ended().then(() => this.#running.delete(started));
    return started;
  }

  /** Runs a program to its end. Rejects when it fails, does not end within `limitMs`, or `signal` says so. */
  async run(command: string, args: readonly string[], options: RunOptions): Promise<string> {
    const { signal, limitMs } = options;
    const started = this.start(command, args, options);
    const chunks: string[] = [];
    started.child.stdout?.setEncoding("utf8");
    started.child.stdout?.on("data", (text: string) => chunks.push(text));
    let isLate = false;
    const onAbort = () => void started.stop();
    const timer = setTimeout(() => {
      isLate = true;
      onAbort();
    }, limitMs);
    signal.addEventListener("abort", onAbort, { once: true });
    await once(started.child, "close");
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    signal.throwIfAborted();
    const line = `${command} ${args.join(" ")}`;
    if (isLate) throw new Error(`${line} did not end within ${limitMs / 1000} s`);
    if (started.child.exitCode !== 0) throw new Error(`${line} failed: ${started.stderr}`);
    return chunks.join("");
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#running].map((started) => started.stop()));
  }
}

/** The process and everything below it. */
export function processTree(pid: number): readonly number[] {
  return [pid, ...childrenOf(pid).flatMap(processTree)];
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
      .split(" ")
      .filter((text) => text !== "")
      .map(Number);
  } catch {
    return [];
  }
}

function kill(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  }
}

/** Resolves when `attempt` returns true. */
export async function until(attempt: () => Promise<boolean>, started: Started, timeoutMs = 60_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await attempt())) {
    if (started.hasEnded) throw new Error(`it ended before it was ready: ${started.stderr}`);
    if (performance.now() > deadline)
      throw new Error(`it was not ready after ${timeoutMs / 1000} s: ${started.stderr}`);
    await sleep(5);
  }
}

/** Whether a program is on the path. */
export function isInstalled(command: string): boolean {
  try {
    execFileSync("sh", ["-c", `command -v ${command}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
