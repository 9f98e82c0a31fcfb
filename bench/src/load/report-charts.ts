// Plots of a scenario as inline SVG: bars of a metric with the spread of its rounds, and percentiles of latency.
import { metricColumns } from "./metrics.ts";
import type { Row } from "./results.ts";
import { formatNumber, nameOf } from "./table.ts";

const width = 560;
const labelWidth = 190;
/** Room for the number behind the longest bar. */
const valueWidth = 70;
const plotWidth = width - labelWidth - valueWidth;
const rowHeight = 22;
const barHeight = 13;

/** Bars of the scenario's own metric; a thin line from the least to the most of the rounds. */
export function barChart(rows: readonly Row[]): string {
  const largest = Math.max(...rows.map(({ spread }) => spread.max));
  const x = (value: number) => labelWidth + (Math.max(0, value) / largest) * plotWidth;
  const bars = rows.map((row, index) => {
    const { median, min, max } = row.spread;
    const middle = index * rowHeight + rowHeight / 2;
    const top = middle - barHeight / 2;
    const value = formatNumber(median, metricColumns[row.metric].digits);
    return [
      label(row, middle),
      `<rect class="${classOf(row)}" x="${labelWidth}" y="${round(top)}" width="${round(x(median) - labelWidth)}" height="${barHeight}" rx="2"/>`,
      `<line class="spread" x1="${round(x(min))}" x2="${round(x(max))}" y1="${middle}" y2="${middle}"/>`,
      `<text class="value" x="${round(Math.max(x(median), x(max)) + 6)}" y="${middle + 4}">${value}</text>`,
    ].join("");
  });
  return svg(rows.length * rowHeight, bars.join(""));
}

/** Dots for p50, p90 and p99, larger towards p99, on a logarithmic scale. */
export function percentileChart(rows: readonly Row[]): string {
  const values = rows.flatMap(({ medians }) => [medians.p50Ms, medians.p99Ms]).filter((value) => value !== undefined);
  const from = Math.floor(Math.log10(Math.min(...values)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(...values))));
  const x = (value: number) => labelWidth + ((Math.log10(value) - from) / (to - from)) * plotWidth;
  const bottom = rows.length * rowHeight;
  const ticks = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index)).map(
    (value) =>
      `<line class="grid" x1="${round(x(value))}" x2="${round(x(value))}" y1="0" y2="${bottom}"/>` +
      `<text class="tick" x="${round(x(value))}" y="${bottom + 13}" text-anchor="middle">${value.toLocaleString("en")} ms</text>`,
  );
  const dots = rows.map((row, index) => {
    const middle = index * rowHeight + rowHeight / 2;
    const { p50Ms = Number.NaN, p90Ms = Number.NaN, p99Ms = Number.NaN } = row.medians;
    const dot = (value: number, radius: number) =>
      `<circle class="${classOf(row)}" cx="${round(x(value))}" cy="${middle}" r="${radius}"/>`;
    return [
      label(row, middle),
      `<line class="spread" x1="${round(x(p50Ms))}" x2="${round(x(p99Ms))}" y1="${middle}" y2="${middle}"/>`,
      dot(p50Ms, 3),
      dot(p90Ms, 4),
      dot(p99Ms, 5.5),
      `<text class="value" x="${round(x(p99Ms) + 10)}" y="${middle + 4}">${formatNumber(p99Ms, 2)}</text>`,
    ].join("");
  });
  return svg(bottom + 18, [...ticks, ...dots].join(""));
}

function label(row: Row, middle: number): string {
  return `<text x="${labelWidth - 8}" y="${middle + 4}" text-anchor="end">${nameOf(row)}</text>`;
}

function classOf({ contender, variant }: Row): string {
  const group = groupOf(contender);
  return variant === null ? group : `${group} faded`;
}

function groupOf(contender: string): string {
  if (["auto", "node", "own"].includes(contender)) return "sluice";
  return ["nginx", "haproxy", "envoy"].includes(contender) ? "native" : "node-proxy";
}

function svg(height: number, content: string): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img">${content}</svg>`;
}

function round(value: number): string {
  return value.toFixed(1);
}
