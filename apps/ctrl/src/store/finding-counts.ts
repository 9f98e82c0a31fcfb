// How many findings there are, by severity.
import type { Diagnostic } from "@sluice/core/model";

export interface FindingCounts {
  readonly errors: number;
  readonly warnings: number;
}

export function countFindings(diagnostics: readonly Diagnostic[]): FindingCounts {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  return { errors, warnings: diagnostics.length - errors };
}
