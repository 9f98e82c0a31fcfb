// What is told on standard error while the bench runs: what was measured, and how long it will still take.
import { type Metric, metricColumns, type Sample } from "./metrics.ts";
import type { Scenario } from "./scenarios.ts";

export interface Step {
  readonly scenario: Scenario;
  readonly name: string;
  readonly label: string;
  readonly sample: Sample | null;
}

const told: readonly Metric[] = ["perSecond", "cpuUs", "p99Ms", "connectionKib", "readyMs", "workerRssMib"];

export class Progress {
  readonly #total: number;
  readonly #startedAt = performance.now();
  #done = 0;

  /** `total` steps to come. */
  constructor(total: number) {
    this.#total = total;
  }

  tell({ scenario, name, label, sample }: Step): void {
    this.#done += 1;
    const values = told.flatMap((metric) => {
      const value = sample?.[metric];
      const { title, digits } = metricColumns[metric];
      return value === undefined ? [] : [`${value.toFixed(digits)} ${title}`];
    });
    const errors = (sample?.errors ?? 0) > 0 ? [`${sample?.errors} ERRORS`] : [];
    process.stderr.write(
      `[${this.#done}/${this.#total}, ${this.#left()}] ${scenario.name} ${name}, ${label}: ${[...values, ...errors].join(", ") || "ready"}\n`,
    );
  }

  skip(): void {
    this.#done += 1;
  }

  warn(text: string): void {
    this.#done += 1;
    process.stderr.write(`${text}\n`);
  }

  #left(): string {
    const perStepMs = (performance.now() - this.#startedAt) / this.#done;
    const seconds = (perStepMs * (this.#total - this.#done)) / 1000;
    return seconds < 90 ? `${seconds.toFixed(0)} s left` : `${(seconds / 60).toFixed(0)} min left`;
  }
}
