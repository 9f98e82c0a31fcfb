// What was read last time, by text. Holds what the last configuration used and nothing older.
import { PieceContent } from "./piece-content.ts";
import { type PiecePlace, type PlacedPiece, placePiece } from "./placed-piece.ts";

export class ParseMemory {
  #former = new Map<string, PlacedPiece[]>();
  #used = new Map<string, PlacedPiece[]>();

  /** The piece as it is read; anew only when neither this text nor its place was seen last time. */
  read(text: string, place: PiecePlace): PlacedPiece {
    // The same text may stand in several places: each takes one.
    const former = this.#former.get(text)?.shift();
    const piece =
      former === undefined
        ? placePiece(new PieceContent(detach(text)), place)
        : isSamePlace(former.place, place)
          ? former
          : placePiece(former.content, place);
    const used = this.#used.get(piece.content.text);
    if (used === undefined) this.#used.set(piece.content.text, [piece]);
    else used.push(piece);
    return piece;
  }

  /** Everything was read: what was not asked for is forgotten. */
  endRound(): void {
    this.#former = this.#used;
    this.#used = new Map();
  }
}

/** A copy: a part of a string keeps the whole of it alive, and one document that never changes would keep every version of its file. */
function detach(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}

function isSamePlace(a: PiecePlace, b: PiecePlace): boolean {
  return a.file === b.file && a.linesBefore === b.linesBefore && a.defaultNamespace === b.defaultNamespace;
}
