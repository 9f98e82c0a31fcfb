// The results as tables in Markdown: one for each kind of measurement, a row for each contender.
import { metricColumns, metrics } from "./metrics.ts";
import type { Peer, Row } from "./results.ts";
import type { Spread } from "./statistics.ts";

const peerTitles: Readonly<Record<Peer, string>> = {
  nginx: "against nginx",
  haproxy: "against HAProxy",
  envoy: "against Envoy",
  bestNodeProxy: "against the best Node proxy",
  baseline: "against itself",
};
const peers = Object.keys(peerTitles) as readonly Peer[];

/** Lines of a table in Markdown. */
export function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)].join("\n");
}

/** One line a scenario, CPU microseconds a request of each contender: the bench in short. Empty when nothing of the kind was measured. */
export function summaryTable(rows: readonly Row[]): string {
  const shown = rows.filter(
    ({ metric, variant, failure }) => metric === "cpuUs" && variant === null && failure === null,
  );
  const contenders = [...new Set(shown.map(({ contender }) => contender))];
  const titles = new Map(shown.map(({ scenario, title }) => [scenario, title]));
  const cells = [...titles].map(([name, title]) => [
    title,
    ...contenders.map((contender) => {
      const row = shown.find((each) => each.scenario === name && each.contender === contender);
      return formatNumber(row?.medians.cpuUs, metricColumns.cpuUs.digits);
    }),
  ]);
  return cells.length === 0 ? "" : markdownTable([metricColumns.cpuUs.title, ...contenders], cells);
}

/** All rows; those that have the same numbers share a table. */
export function resultTables(rows: readonly Row[]): string {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    if (row.failure !== null) continue;
    const columns = Object.keys(row.medians).join();
    groups.set(columns, [...(groups.get(columns) ?? []), row]);
  }
  const tables = [...groups.values()].map(tableOf);
  const failures = rows.flatMap((row) =>
    row.failure === null ? [] : [`- ${row.scenario}, ${nameOf(row)} was not measured: ${row.failure}`],
  );
  return [...tables, ...(failures.length === 0 ? [] : [failures.join("\n")])].join("\n\n");
}

function tableOf(rows: readonly Row[]): string {
  const shownMetrics = metrics.filter((metric) => rows.some(({ medians }) => medians[metric] !== undefined));
  const shownPeers = peers.filter((peer) => rows.some(({ ratios }) => ratios[peer] !== undefined));
  const columns = [
    "scenario",
    "contender",
    ...shownMetrics.map((metric) => metricColumns[metric].title),
    ...shownPeers.map((peer) => peerTitles[peer]),
  ];
  const cells = rows.map((row) => [
    row.scenario,
    nameOf(row),
    ...shownMetrics.map((metric) => formatNumber(row.medians[metric], metricColumns[metric].digits)),
    ...shownPeers.map((peer) => formatRatio(row.ratios[peer])),
  ]);
  return markdownTable(columns, cells);
}

/** The contender, the engine that it has chosen, and how a baseline differs. */
export function nameOf({ contender, engine, variant }: Pick<Row, "contender" | "engine" | "variant">): string {
  return [contender, ...(engine === null ? [] : [`(${engine})`]), ...(variant === null ? [] : [variant])].join(" ");
}

export function formatNumber(value: number | undefined, digits: number): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The median of the rounds, with the least and the most of them. */
export function formatRatio(ratio: Spread | undefined): string {
  if (ratio === undefined || Number.isNaN(ratio.median)) return "–";
  return `${ratio.median.toFixed(2)} (${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)})`;
}
