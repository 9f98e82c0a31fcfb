// A push: planned on the latest version, compiled with the directory before anything is stored, stored durably, published at once, and
// answered when every connected edge serves it.
import type { Diagnostic } from "@sluice/core/model";
import { describeDocument, hasErrors } from "@sluice/core/model";
import type { EncodedTable } from "@sluice/core/wire";
import type { Compiled } from "../compile/compiler.ts";
import type { Change, ResourceText, Snapshot, VersionRecord } from "../store/resource-store.ts";
import { StoreLimit, StoreUnavailable } from "../store/resource-store.ts";
import type { CurrentTable } from "../store/versions.ts";
import { type Plan, type PlannedChange, toKey } from "./change.ts";
import type { Convergence, ConvergenceReport, Target } from "./convergence.ts";
import { compareTables, type Difference } from "./difference.ts";
import type { Live } from "./live.ts";
import { newDiagnostics } from "./new-diagnostics.ts";
import { PushError } from "./push-error.ts";

/** Each means that another ctrl was quicker. */
const maxAttempts = 20;

export interface PushOptions {
  readonly author: string;
  readonly reason: string;
  /** How long the answer waits for the edges; 0: not at all. */
  readonly waitMs: number;
}

export interface PushAnswer {
  /** The stored version that runs now: the one made, or the latest where nothing changed. */
  readonly number: number;
  /** Of the table. */
  readonly version: string;
  readonly isChanged: boolean;
  readonly changes: readonly Change[];
  /** Warnings about what was pushed, and others that were not there before. */
  readonly diagnostics: readonly Diagnostic[];
  readonly convergence: ConvergenceReport;
}

export interface Preview extends Omit<PushAnswer, "convergence"> {
  readonly difference: Difference;
}

interface Planned {
  readonly change: PlannedChange;
  readonly snapshot: Snapshot;
  readonly running: CurrentTable;
  /** Everything is as it should be. */
  readonly isNothing: boolean;
}

/** A change that compiles. */
interface Candidate extends Omit<Planned, "isNothing"> {
  readonly changes: readonly Change[];
  readonly compiled: Compiled;
  readonly table: EncodedTable;
}

type Made = Omit<PushAnswer, "convergence"> & { readonly target: Target };

export class Pusher {
  readonly #live: Live;
  readonly #convergence: Convergence;

  constructor(live: Live, convergence: Convergence) {
    this.#live = live;
    this.#convergence = convergence;
  }

  /** @throws PushError when nothing was stored, and when it was but an edge refused it */
  async push(plan: Plan, options: PushOptions): Promise<PushAnswer> {
    // A look before queueing: under contention most fail here, for next to nothing.
    await this.#plan(plan);
    const { target, ...made } = await this.#live.turns.take(async () => await this.#make(plan, options));
    const outcome = await this.#convergence.wait(target, options.waitMs);
    if (!("reason" in outcome)) return { ...made, convergence: outcome };
    const { undoneBy, reason } = outcome;
    const details = { number: target.number, undoneBy };
    if (undoneBy === null)
      throw new PushError("refused", `version ${target.number} was refused: ${reason}`, { details });
    const message = `version ${target.number} was taken back by version ${undoneBy}: ${reason}`;
    throw new PushError("rolled-back", message, { details });
  }

  /** What the push would do. Takes no turn: others go on meanwhile. */
  async preview(plan: Plan): Promise<Preview> {
    const planned = await this.#plan(plan);
    if (planned.isNothing) {
      const { number, version } = nothingNew(planned);
      const difference = compareTables(planned.running.table, planned.running.table);
      return { number, version, isChanged: false, changes: [], diagnostics: [], difference };
    }
    const { snapshot, running, changes, compiled, table, change } = await this.#compile(planned);
    return {
      number: snapshot.number,
      version: table.version,
      isChanged: true,
      changes,
      diagnostics: newDiagnostics(compiled.diagnostics, running.diagnostics, change.pushed?.file ?? null),
      difference: compareTables(running.table, table),
    };
  }

  async #plan(plan: Plan): Promise<Planned> {
    const running = this.#live.tables.current;
    if (running === null) {
      const { lastAttempt, whyNothing } = this.#live.tables;
      const reason = whyNothing ?? "the configuration directory was not read yet";
      const more = lastAttempt === null ? {} : { diagnostics: lastAttempt.diagnostics };
      throw new PushError("not-ready", `nothing runs that could be added to: ${reason}`, more);
    }
    const snapshot = await this.#live.store.read();
    const change = await plan({ snapshot, declared: running.inputs.declared });
    const isNothing = change.puts.length === 0 && change.deletes.length === 0;
    return { running, snapshot, change, isNothing };
  }

  async #make(plan: Plan, options: PushOptions): Promise<Made> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const planned = await this.#plan(plan);
      if (planned.isNothing) return nothingNew(planned);
      const candidate = await this.#compile(planned);
      const version = await this.#commit(candidate, options);
      if (version !== null) return this.#publish(candidate, version);
    }
    throw new PushError("busy", `other pushes came first, ${maxAttempts} times; try again`);
  }

  async #compile({ running, snapshot, change }: Planned): Promise<Candidate> {
    const { puts, deletes, pushed } = change;
    const stored = new Map<string, ResourceText>(snapshot.resources);
    for (const key of [...puts, ...deletes].map(describeDocument)) stored.delete(key);
    if (pushed === null) for (const put of puts) stored.set(describeDocument(put), put);
    const { texts } = running.inputs;
    const compiled = await this.#live.compiler.compile({ texts, stored: [...stored.values()], pushed });
    const { table, diagnostics } = compiled;
    if (table === null || hasErrors(diagnostics)) {
      const errors = diagnostics.filter(({ severity }) => severity === "error").length;
      const message = `the configuration would have ${errors} ${errors === 1 ? "error" : "errors"}; nothing was stored`;
      throw new PushError("invalid", message, { diagnostics });
    }
    return { change, snapshot, running, changes: toChanges(change, snapshot), compiled, table };
  }

  /** Null: another version came first. */
  async #commit(
    { change, snapshot, table }: Candidate,
    { author, reason }: PushOptions,
  ): Promise<VersionRecord | null> {
    const { puts, deletes, restores } = change;
    const commit = { base: snapshot.number, puts, deletes, author, reason, restores, digest: table.version };
    try {
      const result = await this.#live.store.commit(commit);
      return result.outcome === "committed" ? result.version : null;
    } catch (error) {
      if (error instanceof StoreUnavailable) throw new PushError("unavailable", error.message);
      if (error instanceof StoreLimit) throw new PushError("limit", error.message);
      throw error;
    }
  }

  #publish({ change, running, compiled }: Candidate, version: VersionRecord): Made {
    const { number, changes, digest, author } = version;
    const { texts } = running.inputs;
    this.#live.record(compiled, { texts, number, origin: "push", source: `version ${number} by ${author}` });
    return {
      number,
      version: digest,
      isChanged: true,
      changes,
      diagnostics: newDiagnostics(compiled.diagnostics, running.diagnostics, change.pushed?.file ?? null),
      target: { number, sequence: this.#live.tables.current?.sequence ?? 0 },
    };
  }
}

function nothingNew({ running, snapshot: { number } }: Planned): Made {
  const target = { number, sequence: running.sequence };
  return { number, version: running.table.version, isChanged: false, changes: [], diagnostics: [], target };
}

function toChanges({ puts, deletes }: PlannedChange, { resources }: Snapshot): readonly Change[] {
  return [
    ...puts.map((put): Change => {
      return { ...toKey(put), change: resources.has(describeDocument(put)) ? "changed" : "added" };
    }),
    ...deletes.map((key): Change => ({ ...toKey(key), change: "removed" })),
  ];
}
