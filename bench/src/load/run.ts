// Runs a scenario: contenders in, answers checked, warmed up, then round after round in an order that rotates.
import { check } from "./check.ts";
import type { ContenderKind, World } from "./contender.ts";
import { nginx } from "./contenders/nginx.ts";
import type { Tools } from "./generators/load-result.ts";
import { type Entrant, type Entry, Lineup } from "./lineup.ts";
import { measure } from "./measure.ts";
import type { Sample } from "./metrics.ts";
import type { Progress } from "./progress.ts";
import { type ClosedLoad, doorOf, type Load, type OpenLoad, type Scenario } from "./scenarios.ts";
import { Saturations } from "./saturations.ts";

/** One row to be: a contender as one site under one load. */
export interface RowPlan extends Entry {
  /** Measured only for the others to be compared with. */
  readonly isBaseline: boolean;
}

export interface EntryResult {
  readonly contender: string;
  readonly isBaseline: boolean;
  /** The engine that it has chosen for the scenario's door; null where there is nothing to choose. */
  readonly engine: string | null;
  /** One a round. Empty when it failed. */
  readonly samples: readonly Sample[];
  /** Why it was not measured, or not to the end. */
  readonly failure: string | null;
}

export interface ScenarioResult {
  readonly scenario: Scenario;
  readonly entries: readonly EntryResult[];
}

export interface RunOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

/** All rows of a scenario among these contenders. */
export function plansOf(scenario: Scenario, kinds: readonly ContenderKind[]): readonly RowPlan[] {
  const { site, load, baseline, contenders } = scenario;
  const door = doorOf(load);
  return kinds
    .filter((kind) => kind.isSluice || contenders === undefined || contenders.includes(kind.name))
    .filter((kind) => kind.canServe(site, door))
    .flatMap((kind) => {
      const entry = { kind, site, load, isBaseline: false };
      if (baseline === undefined) return [entry];
      return [entry, { kind, site: baseline.site ?? site, load: baseline.load ?? load, isBaseline: true }];
    });
}

export class Runner {
  readonly #world: World;
  readonly #tools: Tools;
  readonly #options: RunOptions;
  readonly #progress: Progress;
  readonly #lineup: Lineup;
  readonly #saturations: Saturations;

  constructor(world: World, tools: Tools, options: RunOptions, progress: Progress) {
    this.#world = world;
    this.#tools = tools;
    this.#options = options;
    this.#progress = progress;
    this.#lineup = new Lineup(world);
    this.#saturations = new Saturations(this.#lineup, tools, options.seconds);
  }

  async run(scenario: Scenario, kinds: readonly ContenderKind[]): Promise<ScenarioResult> {
    const rows = plansOf(scenario, kinds).map((plan) => new RowUnderWay(plan));
    await this.#lineup.keep(rows.map(({ plan }) => plan));
    for (const row of rows) await this.#attempt(scenario, row, "warm-up", () => this.#prepare(row));
    for (let round = 0; round < this.#options.rounds; round++) {
      for (const row of rotate(rows, round)) {
        const label = `round ${round + 1}/${this.#options.rounds}`;
        await this.#attempt(scenario, row, label, async () => {
          const sample = await this.#measure(row.plan);
          row.samples.push(sample);
          return sample;
        });
      }
    }
    return { scenario, entries: rows.map((row) => row.result()) };
  }

  /** A contender that fails is out of the scenario, loudly; the others go on. */
  async #attempt(
    scenario: Scenario,
    row: RowUnderWay,
    label: string,
    step: () => Promise<Sample | null>,
  ): Promise<void> {
    this.#tools.signal.throwIfAborted();
    if (row.failure !== null) return this.#progress.skip();
    const name = row.plan.isBaseline ? `${row.plan.kind.name} ${scenario.baseline?.title ?? ""}` : row.plan.kind.name;
    try {
      this.#progress.tell({ scenario, name, label, sample: await step() });
    } catch (error) {
      this.#tools.signal.throwIfAborted();
      const words = this.#lineup.lastWords(row.plan);
      row.failure = `${label}: ${error instanceof Error ? error.message : String(error)}${words}`;
      this.#progress.warn(`${scenario.name} ${name} IS NOT MEASURED, ${row.failure}`);
    }
  }

  async #prepare(row: RowUnderWay): Promise<Sample | null> {
    const { load } = row.plan;
    const entrant = await this.#lineup.enter(row.plan);
    row.engine = entrant.contender.engines?.[doorOf(load)] ?? null;
    await check(entrant, load, this.#world);
    return isForFresh(load) ? null : await this.#measureEntrant(entrant, load, this.#options.warmUpSeconds);
  }

  async #measure(entry: Entry): Promise<Sample> {
    const { load } = entry;
    if (isForFresh(load)) await this.#lineup.leave(entry);
    const entrant = await this.#lineup.enter(entry);
    if (load.kind === "idle" && load.door !== "h2") {
      // So that what the first requests of a process cost is not put down to connections.
      const before: ClosedLoad = { kind: "closed", door: load.door, path: "/small", connections: 64 };
      await this.#measureEntrant(entrant, before, this.#options.warmUpSeconds);
    }
    return await this.#measureEntrant(entrant, load, this.#options.seconds);
  }

  async #measureEntrant(entrant: Entrant, load: Load, seconds: number): Promise<Sample> {
    const rate = load.kind === "open" ? await this.#rateOf(entrant.kind, load) : Number.NaN;
    return await measure({ entrant, load, seconds, rate }, this.#tools);
  }

  async #rateOf(kind: ContenderKind, load: OpenLoad): Promise<number> {
    return (await this.#saturations.of(load.halfOf === "nginx" ? nginx : kind, load)) / 2;
  }
}

/** What a process leaves behind, such as a heap that has grown, would count in the next round. */
function isForFresh(load: Load): boolean {
  return load.kind === "start" || load.kind === "idle";
}

/** A row while it is measured. */
class RowUnderWay {
  readonly plan: RowPlan;
  readonly samples: Sample[] = [];
  engine: string | null = null;
  failure: string | null = null;

  constructor(plan: RowPlan) {
    this.plan = plan;
  }

  result(): EntryResult {
    const { plan, engine, samples, failure } = this;
    return { contender: plan.kind.name, isBaseline: plan.isBaseline, engine, samples, failure };
  }
}

/** The same, beginning with another one each round, so that nobody always comes after the same neighbour. */
function rotate<T>(values: readonly T[], by: number): readonly T[] {
  const start = by % Math.max(1, values.length);
  return [...values.slice(start), ...values.slice(0, start)];
}
