// `sluice` as a user runs it: arguments in, exit status and output out.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { root, sluice } from "./gateway.ts";

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a command to its end. SLUICE_CONFIG and SLUICE_CTRL are only what `env` says. */
export async function runSluice(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const { cwd = root, input = "", env = {} } = options;
  const { SLUICE_CONFIG: _config, SLUICE_CTRL: _ctrl, ...inherited } = process.env;
  const child = spawn(process.execPath, [sluice, ...args], { cwd, env: { ...inherited, ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  // A command that does not read its input may be gone before it is written.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill("SIGKILL"), 30_000);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { code, stdout, stderr };
}
