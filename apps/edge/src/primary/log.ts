// The edge's own log: JSON lines on standard error, so that standard output stays for the ready line and the access log.
import { type Logger, pino } from "pino";

/** Level from SLUICE_LOG (`debug`, `info`, `warn`, `error`), default `info`. */
export function createLogger(name: string): Logger {
  const level = process.env["SLUICE_LOG"] ?? "info";
  return pino(
    { name, level: level in pino.levels.values ? level : "info", base: { pid: process.pid } },
    pino.destination({ dest: 2, sync: true }),
  );
}
