// The state of one reading: what was asked, what was found so far, and how it may end.
import type { Table } from "../model/index.ts";
import type { Diary } from "./diary.ts";
import type { Action, ErrorCode, Question } from "./explanation.ts";

/** How a stage ends the reading. */
export interface Outcome {
  readonly action: Action;
  readonly status?: number;
  readonly location?: string;
  readonly error?: ErrorCode;
}

/** What was found so far; its keys are the answer's. */
export interface Findings {
  listener: string | null;
  filterChain: string | null;
  routeConfig: string | null;
  virtualHost: string | null;
  route: string | number | null;
  cluster: string | null;
  clusters: { readonly name: string; readonly weight: number }[];
}

/** One reading of one table for one question. */
export interface Reading {
  readonly table: Table;
  readonly question: Question;
  readonly diary: Diary;
  readonly findings: Findings;
}

/** An outcome without a destination. */
export function reject(error: ErrorCode, status?: number): Outcome {
  return status === undefined ? { action: "reject", error } : { action: "reject", error, status };
}
