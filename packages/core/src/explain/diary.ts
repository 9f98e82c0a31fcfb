// The diary of a naive reading: which candidates were looked at, in order, and what became of them.
import type { Stage, Step } from "./explanation.ts";

/** More rejected candidates of one stage than this help nobody: ten thousand virtual hosts that are not the one. */
const maxRejectedPerStage = 50;

/** Notes the candidates of a stage. The naive reading tells it everything; it keeps what a person can read. */
export class Diary {
  readonly #steps: Step[] = [];
  readonly #rejectedCounts = new Map<Stage, number>();
  readonly #omitted = new Map<Stage, number>();

  matched(stage: Stage, candidate: string, reason: string): void {
    this.#closeStage(stage);
    this.#steps.push({ stage, candidate, result: "matched", reason });
  }

  rejected(stage: Stage, candidate: string, reason: string): void {
    const count = this.#rejectedCounts.get(stage) ?? 0;
    this.#rejectedCounts.set(stage, count + 1);
    if (count < maxRejectedPerStage) this.#steps.push({ stage, candidate, result: "rejected", reason });
    else this.#omitted.set(stage, (this.#omitted.get(stage) ?? 0) + 1);
  }

  finish(): readonly Step[] {
    for (const stage of this.#omitted.keys()) this.#closeStage(stage);
    return this.#steps;
  }

  #closeStage(stage: Stage): void {
    const omitted = this.#omitted.get(stage);
    if (omitted === undefined) return;
    this.#omitted.delete(stage);
    this.#steps.push({
      stage,
      candidate: `(${omitted} more)`,
      result: "rejected",
      reason: "for the same kind of reason",
    });
  }
}
