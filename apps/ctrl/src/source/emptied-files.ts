// A file that is saved by truncating and then writing it is empty for a moment, and a moment can last: over a network, or while a program
// makes up what comes next. To take that for what was meant would close every listener that the file declares.
import type { Diagnostic, SourceText } from "@sluice/core/model";
import { fileProblem } from "./file-problem.ts";

/** The names of the files in which something stands. */
export function filledFiles(texts: readonly SourceText[]): ReadonlySet<string> {
  return new Set(texts.filter(({ text }) => text.trim() !== "").map(({ file }) => file));
}

/** `empty-file` for every file that is there but blank, and was not in the running version. One that was blank from the start is fine. */
export function emptiedFiles(texts: readonly SourceText[], running: ReadonlySet<string>): readonly Diagnostic[] {
  return texts
    .filter(({ file, text }) => text.trim() === "" && running.has(file))
    .map(({ file }) => ({
      ...fileProblem(file, "empty-file", "is empty, and was not before: taken for a save that is under way"),
      hint: "Delete the file to remove its resources.",
    }));
}
