// What Sluice wants to reach, as data, and what a run says of it.
import type { Metric } from "./metrics.ts";
import type { Peer, Row } from "./results.ts";
import { formatRatio, markdownTable } from "./table.ts";
import { type Spread, spread } from "./statistics.ts";

export interface Goal {
  readonly scenario: string;
  readonly contender: string;
  readonly claim: string;
  readonly against: Peer | Metric;
  /** Null: only reported. */
  readonly atMost: number | null;
}

function cpu(scenario: string, contender: string, against: Peer, atMost: number | null): Goal {
  return { scenario, contender, claim: "CPU a request", against, atMost };
}

const p99 = "p99 latency";

/** In the order in which they are printed. */
export const goals: readonly Goal[] = [
  cpu("small-plain", "auto", "nginx", 1),
  cpu("small-plain", "auto", "haproxy", 1),
  cpu("small-plain", "auto", "bestNodeProxy", 0.4),
  cpu("small-tls", "auto", "nginx", 1),
  cpu("small-tls", "auto", "haproxy", 1),
  cpu("small-tls", "auto", "bestNodeProxy", 0.4),
  cpu("small-tls", "node", "nginx", null),
  cpu("small-tls", "node", "haproxy", null),
  cpu("small-plain", "own", "nginx", 1.2),
  cpu("small-tls", "own", "nginx", 1.5),
  cpu("small-tls", "own", "haproxy", null),
  cpu("small-h2", "node", "nginx", null),
  cpu("small-h2", "node", "haproxy", null),
  cpu("small-h2", "own", "nginx", 1.1),
  cpu("small-h2", "own", "haproxy", null),
  cpu("1m-h2", "own", "nginx", 1),
  cpu("64k-plain", "auto", "nginx", 0.8),
  cpu("64k-plain", "auto", "bestNodeProxy", 0.4),
  cpu("1m-plain", "auto", "nginx", 0.8),
  cpu("1m-plain", "auto", "bestNodeProxy", 0.4),
  cpu("upload-1m", "auto", "bestNodeProxy", 0.4),
  cpu("websocket", "auto", "bestNodeProxy", 0.4),
  cpu("routes-10000", "auto", "baseline", 1.1),
  { scenario: "latency-plain", contender: "auto", claim: p99, against: "nginx", atMost: 1.5 },
  { scenario: "latency-plain-own", contender: "auto", claim: p99, against: "nginx", atMost: 1.5 },
  { scenario: "latency-tls", contender: "auto", claim: p99, against: "nginx", atMost: 1.5 },
  { scenario: "latency-h2", contender: "auto", claim: p99, against: "nginx", atMost: 1.5 },
  { scenario: "start-10000", contender: "auto", claim: "worker RSS MiB", against: "workerRssMib", atMost: 150 },
];

const againstTitles: Readonly<Record<string, string>> = {
  nginx: "nginx",
  haproxy: "HAProxy",
  bestNodeProxy: "best Node proxy",
  baseline: "1 route",
};

/** What was measured of a goal, or null. */
export function reached(goal: Goal, rows: readonly Row[]): Spread | null {
  const row = rows.find(
    ({ scenario, contender, variant, failure }) =>
      scenario === goal.scenario && contender === goal.contender && variant === null && failure === null,
  );
  if (row === undefined) return null;
  const { against } = goal;
  if (against in againstTitles) return row.ratios[against as Peer] ?? null;
  return spread(row.rounds.map((sample) => sample[against as Metric] ?? Number.NaN));
}

export const goalColumns = ["scenario", "Sluice", "measure", "against", "goal", "median (min–max)", "reached"];

/** Cells of those goals that this run can speak of. */
export function goalRows(rows: readonly Row[]): readonly (readonly string[])[] {
  return goals.flatMap((goal) => {
    const value = reached(goal, rows);
    if (value === null) return [];
    const { atMost } = goal;
    const verdict =
      atMost === null ? "–" : value.median <= atMost ? "yes" : `no, ${(value.median / atMost).toFixed(2)} times`;
    const against = againstTitles[goal.against] ?? "–";
    return [
      [
        goal.scenario,
        goal.contender,
        goal.claim,
        against,
        atMost === null ? "–" : `≤ ${atMost}`,
        formatRatio(value),
        verdict,
      ],
    ];
  });
}

/** The same as a table; empty when there is nothing to say. */
export function goalTable(rows: readonly Row[]): string {
  const cells = goalRows(rows);
  return cells.length === 0 ? "" : markdownTable(goalColumns, cells);
}
