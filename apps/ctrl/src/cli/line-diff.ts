// What differs between two texts, line by line, as `diff -u` without its numbers.

export interface DiffLine {
  readonly sign: "+" | "-" | " ";
  readonly text: string;
}

/** Comparing costs time and memory by the product of the lengths; above this, everything between common ends differs. */
const maxProduct = 4_000_000;
const contextLines = 3;

/** The lines that differ, with a few around them; `null` marks where some were left out. */
export function diffLines(before: readonly string[], after: readonly string[]): (DiffLine | null)[] {
  return withContext(compare(before, after));
}

function compare(before: readonly string[], after: readonly string[]): DiffLine[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const same = (texts: readonly string[]) => texts.map((text): DiffLine => ({ sign: " ", text }));
  const middle = compareMiddle(before.slice(start, before.length - end), after.slice(start, after.length - end));
  return [...same(before.slice(0, start)), ...middle, ...same(before.slice(before.length - end))];
}

/** The longest common subsequence, by the textbook's table. */
function compareMiddle(before: readonly string[], after: readonly string[]): DiffLine[] {
  if (before.length * after.length > maxProduct) return [...signed("-", before), ...signed("+", after)];
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number) => lengths[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      lengths[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: DiffLine[] = [];
  let [row, column] = [0, 0];
  while (row < before.length && column < after.length) {
    if (before[row] === after[column]) {
      lines.push({ sign: " ", text: before[row] ?? "" });
      row++;
      column++;
    } else if (at(row + 1, column) >= at(row, column + 1)) lines.push({ sign: "-", text: before[row++] ?? "" });
    else lines.push({ sign: "+", text: after[column++] ?? "" });
  }
  return [...lines, ...signed("-", before.slice(row)), ...signed("+", after.slice(column))];
}

function signed(sign: "+" | "-", texts: readonly string[]): DiffLine[] {
  return texts.map((text) => ({ sign, text }));
}

function withContext(lines: readonly DiffLine[]): (DiffLine | null)[] {
  const isNear = (index: number) =>
    lines.slice(Math.max(0, index - contextLines), index + contextLines + 1).some(({ sign }) => sign !== " ");
  const shown: (DiffLine | null)[] = [];
  for (const [index, line] of lines.entries()) {
    if (isNear(index)) shown.push(line);
    else if (shown.at(-1) !== null && shown.length > 0) shown.push(null);
  }
  while (shown.at(-1) === null && shown.length > 0) shown.pop();
  return shown;
}
