// The command line as a user runs it: a process of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("../../bin/sluice.js", import.meta.url));

export interface RunOptions {
  readonly cwd: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts `sluice` with these arguments. The variables of the surrounding shell that it reads are not passed on. */
export function startSluice(args: readonly string[], { cwd, env = {} }: Omit<RunOptions, "input">): ChildProcess {
  const inherited = { ...process.env };
  for (const name of ["SLUICE_CONFIG", "SLUICE_CTRL", "SLUICE_LOG"]) delete inherited[name];
  return spawn(process.execPath, [program, ...args], { cwd, env: { ...inherited, ...env }, stdio: "pipe" });
}

/** Runs it to its end. */
export async function runSluice(args: readonly string[], options: RunOptions): Promise<RunResult> {
  const child = startSluice(args, options);
  child.stdin?.end(options.input ?? "");
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error("no pipes");
  const [output, talk, [code]] = await Promise.all([
    text(stdout),
    text(stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, stdout: output, stderr: talk };
}
