// Columns as Go's tabwriter aligns them for istioctl: each as wide as its widest cell plus five spaces, the last as it is.

const paddingColumns = 5;

/** Lines of aligned cells, the header first, ending in a newline. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  return lines.map((cells) => `${formatLine(cells, widths)}\n`).join("");
}

function formatLine(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + paddingColumns)))
    .join("")
    .trimEnd();
}
