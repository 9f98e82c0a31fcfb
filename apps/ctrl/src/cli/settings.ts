// Finds and reads sluice.yaml.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { defaultSettings, parseSettings, resolveSettings, type Settings } from "@sluice/core/settings";
import { describeSystemError } from "../source/file-problem.ts";
import { CommandFailure, exitUsage, usageFailure } from "./failure.ts";
import { renderDiagnostic } from "./render-diagnostics.ts";
import { hasColour } from "./terminal.ts";

const defaultFile = "sluice.yaml";

export interface LoadedSettings {
  /** With absolute paths. */
  readonly settings: Settings;
  /** Absolute; null when there is none and the defaults hold. */
  readonly file: string | null;
  /** Where relative paths start: the file's directory, or the working directory. */
  readonly baseDirectory: string;
}

/**
 * Reads the named file, or ./sluice.yaml where it exists, or takes the defaults.
 *
 * @throws CommandFailure 2 when the file cannot be read or is wrong
 */
export async function loadSettings(named: string | undefined): Promise<LoadedSettings> {
  const file = resolve(named ?? defaultFile);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (named !== undefined || !isMissing)
      throw usageFailure(`error: ${file} cannot be read: ${describeSystemError(error)}`);
    const baseDirectory = process.cwd();
    return { settings: resolveSettings(defaultSettings(), baseDirectory), file: null, baseDirectory };
  }
  const { settings, diagnostics } = parseSettings(file, text);
  const lines = diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, hasColour(process.stderr)));
  if (settings === null) throw new CommandFailure(exitUsage, lines.join("\n"));
  if (lines.length > 0) process.stderr.write(`${lines.join("\n")}\n`);
  const baseDirectory = dirname(file);
  return { settings: resolveSettings(settings, baseDirectory), file, baseDirectory };
}
