// What the control plane tells to those who follow /v1/events, and to those who wait for a push.
import type { EventHub } from "../api/event-hub.ts";
import type { PublisherEvents } from "../publish/server.ts";
import type { Convergence } from "../push/convergence.ts";
import { countDifferences } from "../push/difference.ts";
import type { VersionRecord } from "../store/resource-store.ts";
import type { CurrentTable, VersionStore } from "../store/versions.ts";

/** Of an attempt: events are kept, and sent to everybody; the status has all. */
const maxDiagnostics = 20;

/** Events of the publisher: first to the log, then to those who listen and wait. */
export function tellPublishing(hub: EventHub, convergence: Convergence, log: PublisherEvents): PublisherEvents {
  return {
    onConnect: (edge) => {
      log.onConnect(edge);
      hub.emit("edge", { edge: edge.id, connected: true, version: edge.version });
      convergence.update();
    },
    onDisconnect: (edge, reason) => {
      log.onDisconnect(edge, reason);
      hub.emit("edge", { edge: edge.id, connected: false, reason });
      convergence.update();
    },
    onAck: (edge, version) => {
      log.onAck(edge, version);
      const workers = edge.workers.map(({ worker, appliedMs }) => ({ worker, appliedMs }));
      hub.emit("ack", { edge: edge.id, version, workers });
      convergence.update();
    },
    onRollback: (event) => {
      log.onRollback(event);
      hub.emit("nack", event);
      convergence.update();
    },
    onStranger: (address, reason) => log.onStranger(address, reason),
    onCredentials: (problem) => log.onCredentials(problem),
  };
}

/** Tells of every table that becomes current. */
export function tellVersions(hub: EventHub, tables: VersionStore): void {
  let former: CurrentTable | null = null;
  tables.onChange(() => {
    const { current } = tables;
    if (current === null || current.sequence === former?.sequence) return;
    const { table, inputs, source } = current;
    const { origin } = tables.history[0] ?? { origin: "directory" };
    const changes = countDifferences(former?.table ?? null, table);
    hub.emit("version", { version: table.version, number: inputs.number, origin, source, changes });
    former = current;
  });
}

/** Tells of what became of a compilation. */
export function tellAttempt(hub: EventHub, { lastAttempt }: VersionStore): void {
  if (lastAttempt === null) return;
  const { outcome, origin, version, diagnostics } = lastAttempt;
  const omitted = Math.max(0, diagnostics.length - maxDiagnostics);
  hub.emit("attempt", { outcome, origin, version, diagnostics: diagnostics.slice(0, maxDiagnostics), omitted });
}

export function tellUndone(hub: EventHub, { number, refused, restores, reason }: VersionRecord): void {
  hub.emit("rollback", { number, refused, restores, reason });
}
