// The process of a worker: turns the primary's messages into calls, one after the other.
import cluster from "node:cluster";
import { setImmediate } from "node:timers/promises";
import type { FromWorker, ToWorker } from "./messages.ts";
import { Worker } from "./worker.ts";

process.title = `sluice: worker ${cluster.worker?.id ?? 0}`;

let worker: Worker | null = null;
let queue: Promise<void> = Promise.resolve();

function send(message: FromWorker): void {
  if (process.connected) process.send?.(message);
}

async function handle(message: ToWorker): Promise<void> {
  if (message.type === "configure") {
    worker = new Worker(message.settings, message.ticketSecret, send);
    return;
  }
  if (worker === null) return;
  switch (message.type) {
    case "stage":
      stage(worker, message);
      // Requests come in between: a large table arrives as many portions at once.
      return setImmediate();
    case "prepare":
      return prepare(worker, message);
    case "commit":
      return commit(worker, message.version);
    case "abort":
      return worker.abort();
    case "metrics":
      return send({ type: "metrics", id: message.id, metrics: worker.metrics(cluster.worker?.id ?? 0) });
    case "endpoints":
      return send({ type: "endpoints", id: message.id, endpoints: worker.endpoints() });
    case "reopen-logs":
      return worker.reopenLogs();
    case "drain":
      await worker.drain();
      process.disconnect();
  }
}

/** Why the table under way cannot be staged; said when it is to be prepared. */
let stageProblem: { readonly version: string; readonly reason: string } | null = null;

function stage(target: Worker, message: Extract<ToWorker, { type: "stage" }>): void {
  if (stageProblem?.version === message.version) return;
  stageProblem = null;
  try {
    target.stage(message);
  } catch (error) {
    stageProblem = { version: message.version, reason: reasonOf(error) };
  }
}

function prepare(target: Worker, message: Extract<ToWorker, { type: "prepare" }>): void {
  const { version } = message;
  const problem = stageProblem?.version === version ? stageProblem.reason : null;
  stageProblem = null;
  try {
    if (problem !== null) throw new Error(problem);
    target.prepare(message);
    send({ type: "prepared", version });
  } catch (error) {
    target.abort();
    send({ type: "refused", version, reason: reasonOf(error) });
  }
}

async function commit(target: Worker, version: string): Promise<void> {
  const startedAt = performance.now();
  try {
    const listeners = await target.commit(version);
    send({ type: "applied", version, appliedMs: Math.round(performance.now() - startedAt), listeners });
  } catch (error) {
    send({ type: "refused", version, reason: reasonOf(error) });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

process.on("message", (message: ToWorker) => {
  queue = queue.then(() => handle(message));
});

// The primary decides when to end; a terminal's Ctrl-C reaches the whole process group.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("disconnect", () => {
  worker?.close();
  process.exit(0);
});

send({ type: "started" });
