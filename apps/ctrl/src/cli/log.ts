// The log of the long-running commands: JSON lines on standard error.
import { type Logger, pino } from "pino";

export type { Logger } from "pino";

/** Level from SLUICE_LOG (`debug`, `info`, `warn`, `error`), `info` unless it names one. */
export function createLogger(name: string): Logger {
  const level = process.env["SLUICE_LOG"] ?? "info";
  return pino(
    { name, level: level in pino.levels.values ? level : "info", base: { pid: process.pid } },
    // Synchronous: the last line before an exit is the one that matters most.
    pino.destination({ dest: 2, sync: true }),
  );
}
