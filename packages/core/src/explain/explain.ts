// Where a request would go, and why: the naive reading of a table with a diary, stage by stage, from the port to the cluster.
import type { Table } from "../model/index.ts";
import { Diary } from "./diary.ts";
import type { Explanation, Question } from "./explanation.ts";
import { readListener } from "./read-connection.ts";
import type { Findings, Reading } from "./reading.ts";

/**
 * Answers where a request would go. Never throws for a question: what the edge would refuse is an answer too.
 *
 * A server certificate that is missing is told in a step but does not end the reading: offline, the files of another machine
 * are always missing, and the question is about routes. A client certificate is never given that credit.
 */
export function explain(table: Table, question: Question): Explanation {
  const findings: Findings = {
    listener: null,
    filterChain: null,
    routeConfig: null,
    virtualHost: null,
    route: null,
    cluster: null,
    clusters: [],
  };
  const reading: Reading = { table, question, diary: new Diary(), findings };
  const outcome = readListener(reading);
  return {
    ...findings,
    action: outcome.action,
    status: outcome.status ?? null,
    location: outcome.location ?? null,
    error: outcome.error ?? null,
    steps: reading.diary.finish(),
  };
}
