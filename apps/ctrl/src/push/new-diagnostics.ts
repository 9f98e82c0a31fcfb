// Which findings concern who pushed: a configuration of thousands has standing warnings that the push did not cause.
import type { Diagnostic } from "@sluice/core/model";

/** Those about the text that was pushed, and those that the running configuration did not have. */
export function newDiagnostics(
  diagnostics: readonly Diagnostic[],
  former: readonly Diagnostic[],
  pushedFile: string | null,
): readonly Diagnostic[] {
  const known = new Set(former.map(toKey));
  return diagnostics.filter((diagnostic) => diagnostic.file === pushedFile || !known.has(toKey(diagnostic)));
}

/** Without the place: lines move. */
function toKey({ code, resource, path, message }: Diagnostic): string {
  return JSON.stringify([code, resource, path, message]);
}
