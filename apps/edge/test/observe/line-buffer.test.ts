import fc from "fast-check";
import { expect, test } from "vitest";
import { LineBuffer } from "../../src/observe/line-buffer.ts";

const size = 64;

/** What is written, piece by piece, when the lines are added and what is left is flushed. */
function piecesOf(lines: readonly string[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  const buffer = new LineBuffer(size, (bytes) => pieces.push(bytes));
  for (const line of lines) buffer.add(line);
  buffer.flush();
  buffer.flush();
  return pieces;
}

test("lines are gathered, and written when the next might not fit", () => {
  const line = "0123456789\n";
  const pieces = piecesOf(Array.from({ length: 5 }, () => line));
  expect(pieces.map(String)).toEqual([line.repeat(3), line.repeat(2)].map((text) => String(Buffer.from(text))));
});

test("whatever the lines are, they are written whole, in order, and no more at once than fits", () => {
  const lines = fc.array(fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ minLength: 40, maxLength: 200 })));
  fc.assert(
    fc.property(lines, (texts) => {
      const pieces = piecesOf(texts.map((text) => `${text}\n`));
      expect(Buffer.concat(pieces)).toEqual(Buffer.from(texts.map((text) => `${text}\n`).join("")));
      for (const piece of pieces) {
        expect(piece.at(-1)).toBe(0x0a);
        const isOneLine = texts.some((text) => Buffer.byteLength(`${text}\n`) === piece.length);
        expect(piece.length <= size || isOneLine).toBe(true);
      }
    }),
  );
});
