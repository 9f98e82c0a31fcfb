// How a command ends other than well (CONTRACT, "Offline commands").

/** The configuration has errors. */
export const exitConfigurationErrors = 1;
/** Wrong usage or unreadable input. */
export const exitUsage = 2;

/** Ends the command with this status, after saying why on standard error. An empty message: everything is said already. */
export class CommandFailure extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A `CommandFailure` for wrong usage or unreadable input. */
export function usageFailure(message: string): CommandFailure {
  return new CommandFailure(exitUsage, message);
}
