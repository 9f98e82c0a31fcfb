// Asks a running control plane.
import type { Diagnostic } from "@sluice/core/model";
import { CommandFailure, exitConfigurationErrors, exitUsage, usageFailure } from "./failure.ts";
import { renderDiagnostic } from "./render-diagnostics.ts";
import { printTalk } from "./terminal.ts";

const timeoutMs = 30_000;

/**
 * The JSON answer to a request.
 *
 * @throws CommandFailure 1 when the control plane reports errors in the configuration, 2 when it cannot be asked
 */
export async function askCtrl(baseUrl: string, path: string, body?: unknown): Promise<unknown> {
  const url = toUrl(baseUrl, path);
  const post = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  let response: Response;
  let answer: unknown;
  try {
    response = await fetch(url, { ...(body === undefined ? {} : post), signal: AbortSignal.timeout(timeoutMs) });
    answer = await response.json();
  } catch (error) {
    throw usageFailure(`error: cannot ask the control plane at ${url.origin}: ${describeCause(error)}`);
  }
  if (response.ok) return answer;
  throw reportProblem(response.status, answer);
}

function toUrl(baseUrl: string, path: string): URL {
  try {
    return new URL(path, baseUrl);
  } catch {
    throw usageFailure(`error: --ctrl "${baseUrl}" is no URL such as http://127.0.0.1:15010`);
  }
}

function reportProblem(status: number, answer: unknown): CommandFailure {
  const problem = (typeof answer === "object" && answer !== null ? answer : {}) as {
    detail?: unknown;
    diagnostics?: Diagnostic[];
  };
  const diagnostics = problem.diagnostics ?? [];
  for (const diagnostic of diagnostics) printTalk(renderDiagnostic(diagnostic, process.stderr.isTTY));
  const hasErrors = diagnostics.some(({ severity }) => severity === "error");
  return new CommandFailure(
    hasErrors ? exitConfigurationErrors : exitUsage,
    `error: ctrl answered ${status}: ${String(problem.detail)}`,
  );
}

/** fetch says "fetch failed" and keeps the reason in `cause`. */
function describeCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error
    ? error.cause.message || String((error.cause as NodeJS.ErrnoException).code)
    : error.message;
}
