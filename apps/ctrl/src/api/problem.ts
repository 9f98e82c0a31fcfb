// Every error of the API has one shape: application/problem+json (RFC 9457), with diagnostics where configuration is the cause.
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Diagnostic } from "@sluice/core/model";
import type { FastifyReply } from "fastify";
import { PushError, type PushFailure } from "../push/push-error.ts";
import { StoreUnavailable } from "../store/resource-store.ts";

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly failure?: PushFailure;
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

/** The status of every reason not to make a push. */
export const pushFailureStatus: Readonly<Record<PushFailure, number>> = {
  invalid: 422,
  empty: 422,
  redacted: 422,
  owned: 409,
  conflict: 409,
  "rolled-back": 409,
  refused: 409,
  busy: 409,
  precondition: 412,
  limit: 413,
  "not-found": 404,
  "not-ready": 503,
  unavailable: 503,
};

/** Answers with whatever was thrown. Errors of our own making keep their message; of others only the kind is told. */
export function sendProblem(reply: FastifyReply, error: unknown): FastifyReply {
  const problem = toProblem(error);
  if (problem.status === 401) void reply.header("www-authenticate", "Bearer");
  // As bytes: to text fastify would add a charset, which this media type does not have.
  return reply
    .code(problem.status)
    .type("application/problem+json")
    .send(Buffer.from(JSON.stringify(problem)));
}

/** Answers what is no HTTP, or too much of it, and closes the connection. */
export function sendParseProblem(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const status = parseStatus[error.code ?? ""] ?? 400;
  const title = STATUS_CODES[status] ?? "Error";
  const body = JSON.stringify({ type: "about:blank", title, status, detail: "the request cannot be read" });
  const head = `HTTP/1.1 ${status} ${title}\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close`;
  socket.end(`${head}\r\n\r\n${body}`);
}

const parseStatus: Readonly<Record<string, number>> = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 };

function toProblem(error: unknown): Problem {
  const { status, detail, ...more } = describe(error);
  // The types have no documents of their own, so they add nothing to the status (RFC 9457, section 4.2.1).
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Error", status, detail, ...more };
}

function describe(error: unknown): Omit<Problem, "type" | "title"> {
  if (error instanceof ProblemError) return { status: error.status, detail: error.message, ...diagnosticsOf(error) };
  if (error instanceof PushError) {
    const { failure, message: detail, details } = error;
    return { status: pushFailureStatus[failure], detail, failure, ...details, ...diagnosticsOf(error) };
  }
  if (error instanceof StoreUnavailable) return { status: 503, detail: error.message };
  // Fastify's own: a body that is too large, or of another type.
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

function diagnosticsOf({ diagnostics }: { readonly diagnostics: readonly Diagnostic[] | undefined }) {
  return diagnostics === undefined ? {} : { diagnostics };
}
