// Whether every connected edge serves a table, all its workers with it: what the answer to a push waits for.
import type { EdgeStatus } from "../publish/edge-status.ts";
import type { VersionStore } from "../store/versions.ts";

/** Undone versions that are remembered, for a push that begins to wait late. */
const maxUndone = 1000;

export interface EdgeConvergence {
  readonly id: string;
  /** `serving` it or a later one, `pending`, or `refused` it. */
  readonly state: "serving" | "pending" | "refused";
  readonly version: string | null;
  readonly workers: readonly { readonly worker: number; readonly appliedMs: number | null }[];
}

export interface ConvergenceReport {
  /** `no-edges`: none is connected here, so there was nobody to wait for. */
  readonly state: "converged" | "pending" | "no-edges";
  readonly waitedMs: number;
  readonly edges: readonly EdgeConvergence[];
}

/** An edge refused it: the versions' `undone` tells by which version it was taken back, null where there was none to go back to. */
export interface Undone {
  readonly undoneBy: number | null;
  readonly reason: string;
}

/** Stored versions after `from`, up to `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What is waited for: a table by its place in the order, and the stored version that is in it. */
export interface Target {
  readonly sequence: number;
  readonly number: number;
}

interface Waiter {
  readonly target: Target;
  /** Ends the wait; the reason is null when there is nothing more to wait for. */
  readonly settle: (undone: Undone | null) => void;
}

export class Convergence {
  readonly #tables: VersionStore;
  readonly #edges: () => readonly EdgeStatus[];
  readonly #waiters = new Set<Waiter>();
  readonly #undone = new Map<number, Undone>();
  readonly #held = new Set<Span>();

  constructor(tables: VersionStore, edges: () => readonly EdgeStatus[]) {
    this.#tables = tables;
    this.#edges = edges;
  }

  /** To be called when an edge came, went or answered. */
  update(): void {
    for (const { target, settle } of this.#waiters) if (this.#isOver(target)) settle(null);
  }

  /**
   * An edge refused these versions. The table from before is on its way to all edges, and later than theirs in the order: it must not
   * be taken for theirs while the store is brought back.
   *
   * @returns what ends it
   */
  hold(span: Span): () => void {
    this.#held.add(span);
    return () => {
      this.#held.delete(span);
      this.update();
    };
  }

  /** These versions were taken back. */
  undo(numbers: readonly number[], undone: Undone): void {
    for (const number of numbers) this.#undone.set(number, undone);
    for (const number of this.#undone.keys()) {
      if (this.#undone.size <= maxUndone) break;
      this.#undone.delete(number);
    }
    for (const { target, settle } of this.#waiters) if (numbers.includes(target.number)) settle(undone);
  }

  /** Waits until every connected edge serves the target, `waitMs` at most. A version that was taken back ends the wait at once. */
  async wait(target: Target, waitMs: number): Promise<ConvergenceReport | Undone> {
    const startMs = performance.now();
    const undone = this.#undone.get(target.number) ?? (await this.#untilOver(target, waitMs));
    if (undone !== null) return undone;
    return this.report(target, Math.round(performance.now() - startMs));
  }

  report(target: Target, waitedMs = 0): ConvergenceReport {
    const edges = this.#edges().map((edge) => this.#describe(edge, target));
    const isConverged = edges.every(({ state }) => state === "serving");
    return { state: edges.length === 0 ? "no-edges" : isConverged ? "converged" : "pending", waitedMs, edges };
  }

  async #untilOver(target: Target, waitMs: number): Promise<Undone | null> {
    if (waitMs === 0 || this.#isOver(target)) return null;
    return await new Promise((resolve) => {
      const settle = (undone: Undone | null) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve(undone);
      };
      const waiter: Waiter = { target, settle };
      const timer = setTimeout(() => settle(null), waitMs);
      this.#waiters.add(waiter);
    });
  }

  #isOver(target: Target): boolean {
    return !this.#isHeld(target) && this.#edges().every((edge) => this.#serves(edge, target));
  }

  #isHeld({ number }: Target): boolean {
    return [...this.#held].some(({ from, to }) => number > from && number <= to);
  }

  #serves({ version }: EdgeStatus, target: Target): boolean {
    if (version === null || this.#isHeld(target)) return false;
    return (this.#tables.sequenceOf(version) ?? 0) >= target.sequence;
  }

  #describe(edge: EdgeStatus, target: Target): EdgeConvergence {
    const { id, version, workers, nack } = edge;
    const { sequence } = target;
    const isServing = this.#serves(edge, target);
    const isRefused = nack !== null && (this.#tables.sequenceOf(nack.version) ?? 0) >= sequence;
    return {
      id,
      state: isServing ? "serving" : isRefused ? "refused" : "pending",
      version,
      workers: workers.map(({ worker, appliedMs }) => ({ worker, appliedMs })),
    };
  }
}
