// The page of plots: one HTML file that needs nothing else. Bars with the spread of the rounds for what ratios are made of, percentiles for
// open loops, every table beneath.
import { type Metric, metricColumns } from "./metrics.ts";
import type { Report } from "./load-bench.ts";
import type { Row } from "./results.ts";
import { barChart, percentileChart } from "./report-charts.ts";
import { style } from "./report-style.ts";
import { formatNumber, nameOf } from "./table.ts";
import { goalColumns, goalRows } from "./goals.ts";

/** Sections of the page, by the metric that a scenario is about. */
const sections: readonly { readonly metric: Metric; readonly title: string; readonly text: string }[] = [
  {
    metric: "cpuUs",
    title: "CPU a request",
    text: "User and system time of all of a contender's processes, divided by the requests answered. Bars are medians, lines reach from the best round to the worst. Shorter is better.",
  },
  {
    metric: "p99Ms",
    title: "Latency in an open loop",
    text: "Requests come at a constant rate, whether answers have come or not. p50, p90 and p99 in milliseconds, on a logarithmic scale.",
  },
  {
    metric: "connectionKib",
    title: "Memory of an idle connection",
    text: "Growth of the workers' memory (PSS) over 10,000 connections that have asked once, a connection.",
  },
  { metric: "readyMs", title: "From start to the first answer", text: "Milliseconds with 10,000 hosts, and with one." },
];

/** The whole page. */
export function renderReport(report: Report): string {
  const { machine, versions, rounds, seconds, startedAt, skipped, rows } = report;
  const facts = [
    ["Machine", machine],
    ["Versions", versions.join(", ")],
    ["Method", `${rounds} rounds of ${seconds} s in rotating order; one core a contender, load and backend on another`],
    ["Started", startedAt],
    ...(skipped.length === 0 ? [] : [["Not there", skipped.join("; ")]]),
  ];
  const list = facts.map(([term = "", text = ""]) => `<dt>${escape(term)}</dt><dd>${escape(text)}</dd>`).join("");
  const parts = sections.map(({ metric, title, text }) => {
    const own = rows.filter((row) => row.metric === metric && row.failure === null);
    return own.length === 0 ? "" : `<section><h2>${title}</h2><p>${text}</p>${figures(own)}</section>`;
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sluice beside its peers</title>
<style>${style}</style>
</head>
<body>
<header><h1>Sluice beside its peers</h1><dl>${list}</dl></header>
${legend(rows)}
${goalSection(rows)}
${parts.join("\n")}
<section><h2>Every number</h2><div class="scroll">${numbers(rows)}</div></section>
${failureSection(rows)}
</body>
</html>
`;
}

/** One figure a scenario. */
function figures(rows: readonly Row[]): string {
  const names = [...new Set(rows.map(({ scenario }) => scenario))];
  const figure = (name: string) => {
    const own = rows.filter(({ scenario }) => scenario === name);
    const [first] = own;
    if (first === undefined) return "";
    const chart = first.metric === "p99Ms" ? percentileChart(own) : barChart(own);
    return `<figure><figcaption><b>${escape(first.title)}</b> <code>${escape(name)}</code></figcaption>${chart}</figure>`;
  };
  return `<div class="figures">${names.map(figure).join("")}</div>`;
}

function legend(rows: readonly Row[]): string {
  if (rows.length === 0) return "";
  const kinds = [
    ["sluice", "Sluice: auto (its defaults), node (Node's HTTP), own (its own HTTP codecs)"],
    ["native", "nginx, HAProxy, Envoy"],
    ["node-proxy", "Node proxies"],
  ];
  const items = kinds.map(([name = "", text = ""]) => `<li><i class="${name}"></i>${escape(text)}</li>`).join("");
  return `<ul class="legend">${items}<li><i class="faded sluice"></i>paler: the same contender, as the label says</li></ul>`;
}

function goalSection(rows: readonly Row[]): string {
  const goals = goalRows(rows);
  if (goals.length === 0) return "";
  return `<section><h2>Goals</h2><div class="scroll">${htmlTable(goalColumns, goals)}</div></section>`;
}

function numbers(rows: readonly Row[]): string {
  const metrics = (Object.keys(metricColumns) as Metric[]).filter((metric) =>
    rows.some(({ medians }) => medians[metric] !== undefined),
  );
  const columns = ["scenario", "contender", ...metrics.map((metric) => metricColumns[metric].title)];
  const measured = rows.filter(({ failure }) => failure === null);
  const cells = measured.map((row) => [
    row.scenario,
    nameOf(row),
    ...metrics.map((metric) => formatNumber(row.medians[metric], metricColumns[metric].digits)),
  ]);
  return htmlTable(columns, cells);
}

function failureSection(rows: readonly Row[]): string {
  const failed = rows.filter(({ failure }) => failure !== null);
  if (failed.length === 0) return "";
  const items = failed.map((row) => `<li>${escape(`${row.scenario}, ${nameOf(row)}: ${row.failure ?? ""}`)}</li>`);
  return `<section><h2>Not measured</h2><ul>${items.join("")}</ul></section>`;
}

function htmlTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (tag: string, values: readonly string[]) =>
    values.map((text) => `<${tag}>${escape(text)}</${tag}>`).join("");
  const body = rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("");
  return `<table><thead><tr>${cells("th", columns)}</tr></thead><tbody>${body}</tbody></table>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
