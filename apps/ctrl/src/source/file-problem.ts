// What keeps a file from being read, as a finding about the configuration. It is an error: a configuration of which a part could not be
// read is not the configuration that was meant, and must not replace one that was.
import { getSystemErrorMap } from "node:util";
import type { Diagnostic } from "@sluice/core/model";
import type { SourceCode } from "./codes.ts";

/** An error that concerns a file as a whole. */
export function fileProblem(file: string, code: SourceCode, message: string): Diagnostic {
  return { severity: "error", code, message, file, line: 1, column: 1, path: "", resource: "" };
}

/** `unreadable-file`, with what the system said. */
export function unreadable(file: string, error: unknown): Diagnostic {
  return fileProblem(file, "unreadable-file", `cannot be read: ${describeSystemError(error)}`);
}

/** `no such file or directory`, without the call and path that Node.js puts around it. */
export function describeSystemError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { errno } = error as NodeJS.ErrnoException;
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno);
  return known?.[1] ?? error.message;
}
