// Several files as the one body of a push, and back from a line of the body to the file that it came from.
import type { Diagnostic, SourceText } from "@sluice/core/model";

/** What the API calls the body. */
const bodyName = "body";

export interface JoinedTexts {
  readonly body: string;
  /** The finding as it would be about the file. */
  readonly toPlace: (diagnostic: Diagnostic) => Diagnostic;
}

export function joinTexts(texts: readonly SourceText[]): JoinedTexts {
  let body = "";
  const starts: { readonly file: string; readonly line: number }[] = [];
  for (const { file, text } of texts) {
    // A directive may only follow the end of a document.
    if (body !== "") body += text.startsWith("%") ? "...\n" : "---\n";
    starts.push({ file, line: countLines(body) });
    body += text.endsWith("\n") ? text : `${text}\n`;
  }
  return {
    body,
    toPlace: (diagnostic) => {
      if (diagnostic.file !== bodyName) return diagnostic;
      const start = starts.findLast(({ line }) => line < diagnostic.line);
      return start === undefined ? diagnostic : { ...diagnostic, file: start.file, line: diagnostic.line - start.line };
    },
  };
}

/** Complete lines. */
function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}
