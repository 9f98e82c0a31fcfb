// The command line of `sluice edge`.
import { parseArgs } from "node:util";
import { UsageError } from "./settings.ts";

export const usage = `Usage: sluice edge [--config sluice.yaml]

The data plane alone: listens, terminates TLS, matches and proxies. Takes its table from the ctrl of the same machine, and serves the
last good one from <state.directory> while ctrl is away.

Options:
  --config FILE   settings (default: $SLUICE_CONFIG, else ./sluice.yaml if it exists, else the defaults)
  --help          this text

Signals:
  SIGTERM, SIGINT   drain: readiness off, in-flight requests finish, exit 0; the same signal again exits at once
  SIGUSR2           open the access log anew (after a rotation)

Exit status: 0 after a drain, 1 when no table can be served, 2 for wrong usage or settings.
`;

/** Throws `UsageError`. */
export function parseCommandLine(args: readonly string[]): { config: string | undefined; help: boolean } {
  try {
    const options = { config: { type: "string" }, help: { type: "boolean", short: "h", default: false } } as const;
    const { values } = parseArgs({ args: [...args], options });
    return { config: values.config, help: values.help };
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)} (see sluice edge --help)`);
  }
}
