// One place for a worker: the process that fills it now, what was asked of it, and its replacement when it ends.
import cluster, { type Worker as ClusterWorker } from "node:cluster";
import type { MetricJson } from "../observe/metric-json.ts";
import type { EndpointStatus } from "../upstream/cluster-counters.ts";
import type { OutlierEvent } from "../upstream/outlier/outlier-detector.ts";
import type { FromWorker, ListenerReport, ToWorker } from "../worker/messages.ts";

/** How a worker answered `prepare` or `commit`. */
export type Outcome =
  | { readonly ok: true; readonly appliedMs: number; readonly listeners: readonly ListenerReport[] }
  | { readonly ok: false; readonly reason: string; readonly isGone: boolean };

export interface SlotEvents {
  onExit(slot: WorkerSlot, description: string): void;
  /** It serves another version than before. */
  onServes(slot: WorkerSlot): void;
  onEngineUnavailable(reason: string): void;
  onOutlier(slot: WorkerSlot, cluster: string, event: OutlierEvent): void;
}

/** An answer to a question that may be asked at any time. */
type Answer = Extract<FromWorker, { readonly id: number }>;

/**
 * A worker that does not answer for this long is ended and replaced: it does no work for its connections either, and what is wrong is the
 * process, not the table.
 */
const answerTimeoutMs = 15_000;
const questionTimeoutMs = 2_000;

export class WorkerSlot {
  /** 1, 2, ...: stays when the process is replaced. */
  readonly number: number;
  readonly #events: SlotEvents;
  #process: ClusterWorker | null = null;
  /** What waits for the process to listen; null when it does. */
  #outbox: ToWorker[] | null = null;
  #pending: ((outcome: Outcome) => void) | null = null;
  readonly #questions = new Map<number, (answer: Answer | null) => void>();
  #onGone: (() => void) | null = null;
  /** Why this end ended the process, where it did. */
  #killReason: string | null = null;
  #nextQuestionId = 1;
  /** The version this worker serves, empty before the first, and since when. */
  version = "";
  sinceMs = 0;
  appliedMs = 0;
  startedAtMs = 0;
  listeners: readonly ListenerReport[] = [];

  constructor(number: number, events: SlotEvents) {
    this.number = number;
    this.#events = events;
  }

  get pid(): number {
    return this.#process?.process.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#process !== null;
  }

  /** Starts a process in this slot and configures it. */
  start(configure: Extract<ToWorker, { type: "configure" }>): void {
    const worker = cluster.fork({ SLUICE_WORKER: String(this.number) });
    this.#process = worker;
    this.version = "";
    this.listeners = [];
    this.startedAtMs = Date.now();
    this.#killReason = null;
    worker.on("message", (message: FromWorker) => this.#onMessage(message));
    worker.on("error", () => {});
    worker.on("exit", (code, signal) => this.#onExit(this.#killReason ?? signal ?? `status ${code}`));
    this.#outbox = [configure];
  }

  /** Sends `prepare` or `commit` and resolves with the answer; also when the process ends, as one does that stays silent. */
  ask(message: Extract<ToWorker, { type: "prepare" | "commit" }>): Promise<Outcome> {
    if (this.#process === null)
      return Promise.resolve({ ok: false, reason: "the worker is not running", isGone: true });
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#killReason = `no answer within ${answerTimeoutMs / 1000} s`;
        this.kill();
      }, answerTimeoutMs);
      const settle = (outcome: Outcome) => {
        clearTimeout(timer);
        this.#pending = null;
        if (outcome.ok && message.type === "commit") this.#serves(message.version, outcome);
        resolve(outcome);
      };
      this.#pending = settle;
      this.#send(message);
    });
  }

  tell(message: Extract<ToWorker, { type: "stage" | "abort" | "reopen-logs" }>): void {
    this.#send(message);
  }

  async metrics(): Promise<readonly MetricJson[]> {
    const answer = await this.#question("metrics");
    return answer?.type === "metrics" ? answer.metrics : [];
  }

  /** The endpoints of every cluster as this worker sees them. */
  async endpoints(): Promise<Readonly<Record<string, readonly EndpointStatus[]>>> {
    const answer = await this.#question("endpoints");
    return answer?.type === "endpoints" ? answer.endpoints : {};
  }

  /** Null when no answer comes in time. */
  #question(type: "metrics" | "endpoints"): Promise<Answer | null> {
    if (this.#process === null) return Promise.resolve(null);
    const id = this.#nextQuestionId++;
    return new Promise((resolve) => {
      const finish = (answer: Answer | null) => {
        clearTimeout(timer);
        this.#questions.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => finish(null), questionTimeoutMs);
      this.#questions.set(id, finish);
      this.#send({ type, id });
    });
  }

  /** The worker lets its connections go and ends. Resolves when it has. */
  drain(): Promise<void> {
    if (this.#process === null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onGone = resolve;
      this.#send({ type: "drain" });
    });
  }

  kill(): void {
    this.#process?.process.kill("SIGKILL");
  }

  #send(message: ToWorker): void {
    if (this.#outbox !== null) this.#outbox.push(message);
    else if (this.#process?.isConnected() === true) this.#process.send(message);
  }

  #onStarted(): void {
    const waiting = this.#outbox ?? [];
    this.#outbox = null;
    for (const message of waiting) this.#send(message);
  }

  #serves(version: string, outcome: Extract<Outcome, { ok: true }>): void {
    this.version = version;
    this.sinceMs = Date.now();
    this.appliedMs = outcome.appliedMs;
    this.listeners = outcome.listeners;
    this.#events.onServes(this);
  }

  #onMessage(message: FromWorker): void {
    switch (message.type) {
      case "started":
        return this.#onStarted();
      case "prepared":
        return this.#pending?.({ ok: true, appliedMs: 0, listeners: [] });
      case "applied":
        return this.#pending?.({ ok: true, appliedMs: message.appliedMs, listeners: message.listeners });
      case "refused":
        return this.#pending?.({ ok: false, reason: message.reason, isGone: false });
      case "metrics":
      case "endpoints":
        return this.#questions.get(message.id)?.(message);
      case "outlier":
        return this.#events.onOutlier(this, message.cluster, message.event);
      case "engine-unavailable":
        return this.#events.onEngineUnavailable(message.reason);
    }
  }

  #onExit(description: string): void {
    this.#process = null;
    this.version = "";
    this.listeners = [];
    this.#pending?.({ ok: false, reason: `the worker ended (${description})`, isGone: true });
    for (const finish of this.#questions.values()) finish(null);
    this.#onGone?.();
    this.#events.onExit(this, description);
  }
}
