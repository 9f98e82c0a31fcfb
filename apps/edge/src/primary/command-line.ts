// The command line of `sluice edge`.
import { parseArgs } from "node:util";
import { type SettingOverrides, UsageError } from "./settings.ts";

export const usage = `Usage: sluice edge [--config sluice.yaml] [--id NAME] [--ctrl HOST:PORT]...

The data plane alone: listens, terminates TLS, matches and proxies. Takes its table from the ctrl of the same machine, or from those of
edge.ctrl by mutual TLS, and serves the last good one from <state.directory> while ctrl is away.

Options:
  --config FILE      settings (default: $SLUICE_CONFIG, else ./sluice.yaml if it exists, else the defaults)
  --id NAME          in place of node.id: one file of settings for all machines of a tier
  --ctrl HOST:PORT   in place of edge.ctrl; repeat it for several, in order of preference
  --help             this text

Signals:
  SIGTERM, SIGINT   drain: readiness off, in-flight requests finish, exit 0; the same signal again exits at once
  SIGUSR2           open the access log anew (after a rotation)

Exit status: 0 after a drain, 1 when no table can be served, 2 for wrong usage or settings.
`;

export interface CommandLine {
  readonly config: string | undefined;
  readonly help: boolean;
  /** Go before the settings of the file. */
  readonly overrides: SettingOverrides;
}

/** Throws `UsageError`. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  try {
    const options = {
      config: { type: "string" },
      id: { type: "string" },
      ctrl: { type: "string", multiple: true },
      help: { type: "boolean", short: "h", default: false },
    } as const;
    const { values } = parseArgs({ args: [...args], options });
    return { config: values.config, help: values.help, overrides: { id: values.id, ctrl: values.ctrl } };
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)} (see sluice edge --help)`);
  }
}
