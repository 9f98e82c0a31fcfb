// Every error of the API has one shape: application/problem+json (RFC 9457), with diagnostics where configuration is the cause.
import { STATUS_CODES } from "node:http";
import type { Diagnostic } from "@sluice/core/model";
import type { FastifyReply } from "fastify";

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly diagnostics?: readonly Diagnostic[];
}

/** An answer other than success. */
export class ProblemError extends Error {
  readonly status: number;
  readonly diagnostics: readonly Diagnostic[] | undefined;

  constructor(status: number, detail: string, diagnostics?: readonly Diagnostic[]) {
    super(detail);
    this.status = status;
    this.diagnostics = diagnostics;
  }
}

/** Answers with whatever was thrown. Errors of our own making keep their message; of others only the kind is told. */
export function sendProblem(reply: FastifyReply, error: unknown): FastifyReply {
  const problem = toProblem(error);
  // As bytes: to text fastify would add a charset, which this media type does not have.
  return reply
    .code(problem.status)
    .type("application/problem+json")
    .send(Buffer.from(JSON.stringify(problem)));
}

function toProblem(error: unknown): Problem {
  const { status, detail, diagnostics } = describe(error);
  // The types have no documents of their own, so they add nothing to the status (RFC 9457, section 4.2.1).
  const problem = { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail };
  return diagnostics === undefined ? problem : { ...problem, diagnostics };
}

function describe(error: unknown): Pick<Problem, "status" | "detail" | "diagnostics"> {
  if (error instanceof ProblemError) {
    const { status, message: detail, diagnostics } = error;
    return diagnostics === undefined ? { status, detail } : { status, detail, diagnostics };
  }
  // Fastify's own: a body that is too large, no JSON, or of another type.
  if (
    error instanceof Error &&
    "statusCode" in error &&
    typeof error.statusCode === "number" &&
    error.statusCode < 500
  ) {
    return { status: error.statusCode, detail: error.message };
  }
  return { status: 500, detail: "an internal error; the log of ctrl has it" };
}
