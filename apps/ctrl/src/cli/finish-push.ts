// How every command that pushes ends: the answer on standard output, warnings on standard error, and an exit status that scripts can rely on.
import type { Diagnostic } from "@sluice/core/model";
import { stringify } from "yaml";
import { CommandFailure, exitConfigurationErrors } from "./failure.ts";
import { renderDiagnostic } from "./render-diagnostics.ts";
import { describePending, type PushAnswer, renderPush } from "./render-push.ts";
import { hasColour, printData, printTalk } from "./terminal.ts";

export type PushOutput = "text" | "json" | "yaml";

/** @throws CommandFailure 1 when not every edge serves it in time */
export async function finishPush(
  answer: PushAnswer,
  { output, wait }: { readonly output: PushOutput; readonly wait: number },
  toPlace = (diagnostic: Diagnostic) => diagnostic,
): Promise<void> {
  const diagnostics = answer.diagnostics.map((diagnostic) => toPlace(diagnostic as Diagnostic));
  if (output === "text") {
    for (const diagnostic of diagnostics) printTalk(renderDiagnostic(diagnostic, hasColour(process.stderr)));
    await printData(renderPush(answer, hasColour(process.stdout)));
  } else await printData(formatPlain({ ...answer, diagnostics }, output));
  const pending = describePending(answer, wait);
  if (pending !== null) throw new CommandFailure(exitConfigurationErrors, `error: ${pending}`);
}

/** JSON or YAML, with its final line end. */
export function formatPlain(value: unknown, output: "json" | "yaml"): string {
  return output === "json" ? `${JSON.stringify(value, null, 2)}\n` : stringify(value);
}
