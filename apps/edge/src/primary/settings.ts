// Finds and reads sluice.yaml.
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import {
  defaultSettings,
  parseSettings,
  resolveSettings,
  type Settings,
  validateSettings,
} from "@sluice/core/settings";

/** The command line or the settings are wrong: exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What the command line says in place of the file. */
export interface SettingOverrides {
  readonly id: string | undefined;
  readonly ctrl: readonly string[] | undefined;
}

/** The settings with `overrides` in place. Throws `UsageError` when the result is wrong. */
export function overrideSettings(settings: Settings, { id, ctrl }: SettingOverrides): Settings {
  const next = {
    ...settings,
    node: { ...settings.node, ...(id === undefined ? {} : { id }) },
    edge: { ...settings.edge, ...(ctrl === undefined ? {} : { ctrl: [...ctrl] }) },
  };
  const problem = validateSettings(next);
  if (problem !== null) throw new UsageError(`with these options the settings are wrong: ${problem}`);
  return next;
}

/** Settings from `path`, $SLUICE_CONFIG or ./sluice.yaml (which may be missing), with absolute paths. Throws `UsageError`. */
export async function loadSettings(path: string | undefined): Promise<Settings> {
  const named = path ?? process.env["SLUICE_CONFIG"];
  const file = resolve(named ?? "sluice.yaml");
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (named === undefined && code === "ENOENT") return resolveSettings(defaultSettings(), process.cwd());
    throw new UsageError(`cannot read ${file}: ${code ?? String(error)}`);
  }
  const { settings, diagnostics } = parseSettings(file, text);
  if (settings !== null) return resolveSettings(settings, dirname(file));
  const lines = diagnostics.map(({ line, column, code, path: field, message, hint }) =>
    [`${file}:${line}:${column} error ${code} ${field}: ${message}`, ...(hint === undefined ? [] : [`  ${hint}`])].join(
      "\n",
    ),
  );
  throw new UsageError(`the settings are wrong\n${lines.join("\n")}`);
}
