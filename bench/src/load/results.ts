// What came out: for every row the medians of its rounds, and its ratios to each peer.
import type { ContenderKind } from "./contender.ts";
import { metrics, type Metric, type Sample } from "./metrics.ts";
import type { EntryResult, ScenarioResult } from "./run.ts";
import { median, ratio, type Spread, spread } from "./statistics.ts";

/** Who a row is compared with. `baseline` is the same contender as the scenario's baseline. */
export type Peer = "nginx" | "haproxy" | "envoy" | "bestNodeProxy" | "baseline";

export interface Row {
  readonly scenario: string;
  readonly title: string;
  readonly contender: string;
  /** The engine that it has chosen; null where there is nothing to choose. */
  readonly engine: string | null;
  /** Of a baseline's row: how it differs, such as "with 1 route". */
  readonly variant: string | null;
  /** The number that the ratios are of. */
  readonly metric: Metric;
  readonly medians: Sample;
  readonly spread: Spread;
  readonly ratios: Readonly<Partial<Record<Peer, Spread>>>;
  /** Which Node proxy was the best. */
  readonly bestNodeProxy: string | null;
  readonly rounds: readonly Sample[];
  readonly failure: string | null;
}

export function rowsOf(result: ScenarioResult, kinds: readonly ContenderKind[]): readonly Row[] {
  const { scenario, entries } = result;
  const { metric } = scenario;
  const best = bestNodeProxy(entries, metric, kinds);
  return entries.map((entry) => {
    const peers: readonly (readonly [Peer, EntryResult | undefined])[] = entry.isBaseline
      ? []
      : [
          ["nginx", measured(entries, "nginx")],
          ["haproxy", measured(entries, "haproxy")],
          ["envoy", measured(entries, "envoy")],
          ["bestNodeProxy", best],
          ["baseline", entries.find((other) => other.isBaseline && other.contender === entry.contender)],
        ];
    const ratios = peers.flatMap(([peer, other]) =>
      other === undefined || other === entry || other.samples.length === 0 || entry.samples.length === 0
        ? []
        : [[peer, ratio(values(entry, metric), values(other, metric))] as const],
    );
    return {
      scenario: scenario.name,
      title: scenario.title,
      contender: entry.contender,
      engine: entry.engine,
      variant: entry.isBaseline ? (scenario.baseline?.title ?? null) : null,
      metric,
      medians: mediansOf(entry.samples),
      spread: spread(values(entry, metric)),
      ratios: Object.fromEntries(ratios),
      bestNodeProxy: best?.contender ?? null,
      rounds: entry.samples,
      failure: entry.failure,
    };
  });
}

function measured(entries: readonly EntryResult[], name: string): EntryResult | undefined {
  return entries.find(({ contender, isBaseline }) => contender === name && !isBaseline);
}

function bestNodeProxy(
  entries: readonly EntryResult[],
  metric: Metric,
  kinds: readonly ContenderKind[],
): EntryResult | undefined {
  const names = kinds.filter(({ isNodeProxy }) => isNodeProxy).map(({ name }) => name);
  return entries
    .filter(({ contender, samples }) => names.includes(contender) && samples.length > 0)
    .toSorted((left, right) => median(values(left, metric)) - median(values(right, metric)))[0];
}

function values({ samples }: EntryResult, metric: Metric): readonly number[] {
  return samples.map((sample) => sample[metric] ?? Number.NaN);
}

function mediansOf(samples: readonly Sample[]): Sample {
  const present = metrics.filter((metric) => samples.some((sample) => sample[metric] !== undefined));
  return Object.fromEntries(
    present.map((metric) => {
      const rounds = samples.map((sample) => sample[metric] ?? Number.NaN);
      // One error in any round is an error of the scenario.
      const value = metric === "errors" ? rounds.reduce((sum, count) => sum + count, 0) : median(rounds);
      return [metric, value];
    }),
  );
}
