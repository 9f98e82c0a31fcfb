// A text cut where its documents begin, so that each can be read alone: of a file with thousands of documents only those that changed are
// read again. Whether anything is remembered or not, every text is read in these pieces, so that memory can never change what is read.

/** A part of a text that holds whole documents. */
export interface Piece {
  readonly text: string;
  /** Lines of the text before it. */
  readonly linesBefore: number;
}

/**
 * Cuts before every line that begins with the marker `---`. YAML forbids such a line inside every kind of content, also in quotes and
 * block scalars (YAML 1.2.2, rule 206, c-forbidden), and the reader ends them there.
 *
 * A text with a line that begins with `%` stays whole: such a line may be a directive, which stands before the marker of the document that
 * it is for.
 */
export function cutPieces(text: string): readonly Piece[] {
  if (text.startsWith("%") || text.includes("\n%")) return [{ text, linesBefore: 0 }];
  const pieces: Piece[] = [];
  let start = 0;
  let linesBefore = 0;
  for (let lineEnd = text.indexOf("\n"), line = 1; lineEnd >= 0; lineEnd = text.indexOf("\n", lineEnd + 1), line++) {
    if (!isMarker(text, lineEnd + 1)) continue;
    pieces.push({ text: text.slice(start, lineEnd + 1), linesBefore });
    start = lineEnd + 1;
    linesBefore = line;
  }
  pieces.push({ text: text.slice(start), linesBefore });
  return pieces;
}

function isMarker(text: string, at: number): boolean {
  if (!text.startsWith("---", at)) return false;
  const next = text[at + 3];
  return next === undefined || next === " " || next === "\t" || next === "\n" || next === "\r";
}
