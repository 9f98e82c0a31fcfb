// The running table, for those who cannot do without.
import type { Table } from "@sluice/core/model";
import { ProblemError } from "./problem.ts";
import type { Services } from "./services.ts";

/** @throws ProblemError 503 that says why there is none */
export function requireTable({ tables, live }: Pick<Services, "tables" | "live">): {
  readonly version: string;
  readonly table: Table;
} {
  const current = live.read();
  if (current !== null) return current;
  throw new ProblemError(
    503,
    tables.whyNothing ?? "no configuration was compiled yet",
    tables.lastAttempt?.diagnostics,
  );
}
