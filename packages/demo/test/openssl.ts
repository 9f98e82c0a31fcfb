// The second opinion: OpenSSL's command line, where it is installed. Tests that use it are skipped where it is not.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** Runs openssl in a directory that holds the given files; answers its exit status and everything it printed. */
export function openssl(
  files: Readonly<Record<string, string>>,
  ...argv: string[]
): { status: number | null; text: string } {
  const cwd = mkdtempSync(join(tmpdir(), "sluice-openssl-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(cwd, name), content);
  const { status, stdout, stderr } = spawnSync("openssl", argv, { cwd, encoding: "utf8" });
  rmSync(cwd, { recursive: true });
  return { status, text: stdout + stderr };
}
