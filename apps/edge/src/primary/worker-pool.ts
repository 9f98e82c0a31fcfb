// All workers together: a table is prepared by every one before any serves it, and taken back from every one when one cannot. A worker
// that ends is replaced, and the replacement serves the live table before anything else happens to it.
import type { Logger } from "pino";
import type { MetricJson } from "../observe/metric-json.ts";
import type { ToWorker } from "../worker/messages.ts";
import { logOutlier } from "./outlier-log.ts";
import { type Outcome, WorkerSlot } from "./worker-slot.ts";
import { type LiveTable, transferTable } from "./worker-transfer.ts";

export type ApplyResult =
  | { readonly ok: true }
  | { readonly ok: false; /** Number of the worker that refused. */ readonly worker: number; readonly reason: string };

type Refusal = Extract<ApplyResult, { ok: false }> & {
  /** The worker ended, which may say nothing about the table. */
  readonly isGone: boolean;
};

export interface WorkerPoolOptions {
  readonly count: number;
  readonly configure: Extract<ToWorker, { type: "configure" }>;
  readonly log: Logger;
  /** A worker came, went or serves something else. */
  readonly onChange: () => void;
}

/** A second life in a row that is shorter than this is followed by a pause, which doubles: what dies at its start would only eat CPU. */
const healthyLifeMs = 5_000;
const minPauseMs = 100;
const maxPauseMs = 5_000;

export class WorkerPool {
  readonly slots: readonly WorkerSlot[];
  readonly #options: WorkerPoolOptions;
  #live: LiveTable | null = null;
  /** Applies and replacements, one after the other. */
  #queue: Promise<unknown> = Promise.resolve();
  #isStopping = false;
  #hasReportedEngine = false;
  /** In a row, by slot: that one worker was killed says nothing about the others. */
  readonly #shortLives = new Map<WorkerSlot, number>();
  restarts = 0;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.slots = Array.from(
      { length: options.count },
      (_, index) =>
        new WorkerSlot(index + 1, {
          onExit: (slot, description) => this.#onExit(slot, description),
          onServes: () => options.onChange(),
          onEngineUnavailable: (reason) => this.#onEngineUnavailable(reason),
          onOutlier: ({ number }, name, event) =>
            logOutlier(this.#options.log, { worker: number, cluster: name }, event),
        }),
    );
  }

  get live(): LiveTable | null {
    return this.#live;
  }

  /** True when every worker serves the live table. */
  get isServing(): boolean {
    const version = this.#live?.bytes.version;
    return version !== undefined && this.slots.every((slot) => slot.version === version);
  }

  start(): void {
    for (const slot of this.slots) slot.start(this.#options.configure);
  }

  /** Makes every worker serve `next`, or none. */
  apply(next: LiveTable): Promise<ApplyResult> {
    return this.#enqueue(async () => {
      const first = await this.#tryApply(next);
      // A worker that died meanwhile may have been killed by someone else: the table gets a second chance, with its replacement.
      const result = first.ok || !first.isGone ? first : await this.#tryApply(next);
      this.#options.onChange();
      return result.ok ? { ok: true } : { ok: false, worker: result.worker, reason: result.reason };
    });
  }

  async #tryApply(next: LiveTable): Promise<ApplyResult & { readonly isGone?: boolean }> {
    await this.#replaceMissing();
    const before = this.#live;
    const prepared = await this.#prepareAll(next, before);
    if (prepared !== null) {
      for (const slot of this.slots) slot.tell({ type: "abort", version: next.bytes.version });
      return prepared;
    }
    this.#live = next;
    const committed = await this.#commitAll(next);
    if (committed === null) return { ok: true };
    this.#live = before;
    if (before !== null) {
      // Complete, because a worker that failed midway may hold either table.
      await this.#prepareAll(before, null);
      await this.#commitAll(before);
    }
    return committed;
  }

  #prepareAll(next: LiveTable, base: LiveTable | null): Promise<Refusal | null> {
    const { stages, prepare } = transferTable(next, base);
    return this.#askAll((slot) => {
      for (const stage of stages) slot.tell(stage);
      return slot.ask(prepare);
    });
  }

  #commitAll({ bytes: { version } }: LiveTable): Promise<Refusal | null> {
    return this.#askAll((slot) => slot.ask({ type: "commit", version }));
  }

  /** The first refusal, or null when all agreed. */
  async #askAll(ask: (slot: WorkerSlot) => Promise<Outcome>): Promise<Refusal | null> {
    const outcomes = await Promise.all(this.slots.map(async (slot) => ({ slot, outcome: await ask(slot) })));
    for (const { slot, outcome } of outcomes) {
      if (!outcome.ok) return { ok: false, worker: slot.number, reason: outcome.reason, isGone: outcome.isGone };
    }
    return null;
  }

  async metrics(): Promise<(readonly MetricJson[])[]> {
    return Promise.all(this.slots.map((slot) => slot.metrics()));
  }

  reopenLogs(): void {
    for (const slot of this.slots) slot.tell({ type: "reopen-logs" });
  }

  /** Resolves when every worker has finished or `limitMs` is over; what still runs then is ended. */
  async drain(limitMs: number): Promise<void> {
    this.#isStopping = true;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limitMs);
    });
    await Promise.race([Promise.all(this.slots.map((slot) => slot.drain())), limit]);
    clearTimeout(timer);
    this.kill();
  }

  kill(): void {
    this.#isStopping = true;
    for (const slot of this.slots) slot.kill();
  }

  #onExit(slot: WorkerSlot, description: string): void {
    this.#options.onChange();
    if (this.#isStopping) return;
    this.restarts++;
    const livedMs = Date.now() - slot.startedAtMs;
    const shortLives = livedMs < healthyLifeMs ? (this.#shortLives.get(slot) ?? 0) + 1 : 0;
    this.#shortLives.set(slot, shortLives);
    const pauseMs = shortLives <= 1 ? 0 : Math.min(minPauseMs * 2 ** (shortLives - 2), maxPauseMs);
    this.#options.log.error(
      { worker: slot.number, livedMs, pauseMs },
      `worker ended unexpectedly (${description}); it is replaced`,
    );
    setTimeout(() => void this.#enqueue(() => this.#replaceMissing()), pauseMs);
  }

  /** Starts a process in every empty slot and has it serve the live table. */
  async #replaceMissing(): Promise<void> {
    if (this.#isStopping) return;
    const empty = this.slots.filter((slot) => !slot.isRunning);
    for (const slot of empty) slot.start(this.#options.configure);
    const live = this.#live;
    if (live === null) return;
    await Promise.all(empty.map((slot) => this.#bringUp(slot, live)));
    if (empty.length > 0) this.#options.onChange();
  }

  async #bringUp(slot: WorkerSlot, live: LiveTable): Promise<void> {
    const { stages, prepare } = transferTable(live, null);
    for (const stage of stages) slot.tell(stage);
    const prepared = await slot.ask(prepare);
    const outcome: Outcome = prepared.ok ? await slot.ask({ type: "commit", version: live.bytes.version }) : prepared;
    if (outcome.ok || outcome.isGone) return;
    this.#options.log.error(
      { worker: slot.number, reason: outcome.reason },
      "the replacement cannot serve the live table; trying anew",
    );
    slot.kill();
  }

  #enqueue<Result>(task: () => Promise<Result>): Promise<Result> {
    const result = this.#queue.then(task);
    this.#queue = result.catch(() => {});
    return result;
  }

  #onEngineUnavailable(reason: string): void {
    if (this.#hasReportedEngine) return;
    this.#hasReportedEngine = true;
    this.#options.log.warn(
      { reason },
      "uWebSockets.js cannot be loaded on this machine; every listener is served by engine node",
    );
  }
}
