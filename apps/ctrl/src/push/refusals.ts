// An edge refused a table. The tables have gone back already; here the stored resources follow, by a version of its own, so that what is stored
// is what runs and the next push is not made on what no edge can serve.
//
// Between the push and the refusal others may have pushed. What they wrote stays: only resources that the refused versions touched, and
// nobody touched since, become what they were in the last version that an edge served. Several versions that were published as one table
// (an edge slow to answer is sent only the latest) are taken back together: nobody can tell which of them was refused.
import { describeDocument, hasErrors } from "@sluice/core/model";
import { type Snapshot, StoreUnavailable, type VersionRecord } from "../store/resource-store.ts";
import type { Refusal } from "../store/versions.ts";
import type { PlannedChange } from "./change.ts";
import { planRestore, toKey } from "./change.ts";
import type { Convergence, Span } from "./convergence.ts";
import type { Live } from "./live.ts";

/** Each means that another ctrl was quicker. */
const maxAttempts = 20;
const retryMs = 2_000;

export interface RefusalsOptions {
  readonly live: Live;
  readonly convergence: Convergence;
  /** The versions that connected edges say they serve. */
  servedVersions(): readonly string[];
  onUndone(version: VersionRecord): void;
  /** Nothing to go back to, or no way to: for the log. */
  onNotUndone(reason: string): void;
}

/** Follows the tables' refusals from now on. */
export function followRefusals(options: RefusalsOptions): void {
  const refusals = new Refusals(options);
  options.live.tables.onRefused((refusal) => refusals.take(refusal));
}

class Refusals {
  readonly #options: RefusalsOptions;

  constructor(options: RefusalsOptions) {
    this.#options = options;
  }

  take(refusal: Refusal): void {
    const { refused } = refusal;
    // Nothing stored was in it, or another refusal of the same table came first.
    if (refused === null || refused.inputs.number === 0) return;
    const to = refused.inputs.number;
    const letGo = this.#options.convergence.hold({ from: refusal.back?.inputs.number ?? 0, to });
    this.#settle(refusal, to, letGo);
  }

  /** A store that cannot be written now is tried again until it can: what an edge refused must not stay the truth of the other ctrls. */
  #settle(refusal: Refusal, to: number, letGo: () => void): void {
    this.#options.live.schedule(async () => {
      let isOver = true;
      try {
        await this.#undo(refusal, to);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        isOver = false;
        this.#options.onNotUndone(`${error.message}; it is tried again`);
        setTimeout(() => this.#settle(refusal, to, letGo), retryMs).unref();
      } finally {
        if (isOver) letGo();
      }
    });
  }

  async #undo(refusal: Refusal, to: number): Promise<void> {
    const { live, convergence } = this.#options;
    const from = refusal.back?.inputs.number ?? (await this.#servedNumber(to));
    if (from === null) {
      convergence.undo([to], { undoneBy: null, reason: refusal.reason });
      return this.#options.onNotUndone(`there is no version to go back to from version ${to}`);
    }
    // The directory's part was refused, not a push.
    if (from >= to) return;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const versions = await live.store.versions();
      const before = versions.find(({ refused }) => refused.includes(to));
      if (before !== undefined) {
        return convergence.undo(before.refused, { undoneBy: before.number, reason: refusal.reason });
      }
      const version = await this.#commit(refusal, { from, to }, versions);
      if (version === "impossible") {
        convergence.undo([to], { undoneBy: null, reason: refusal.reason });
        return this.#options.onNotUndone(`the history does not reach back to version ${from}`);
      }
      if (version !== "stale") return this.#tell(version, refusal);
    }
    this.#options.onNotUndone(`other versions came first, ${maxAttempts} times`);
  }

  #tell(version: VersionRecord, { reason }: Refusal): void {
    this.#options.convergence.undo(version.refused, { undoneBy: version.number, reason });
    this.#options.onUndone(version);
  }

  async #commit(
    refusal: Refusal,
    span: Span,
    versions: readonly VersionRecord[],
  ): Promise<VersionRecord | "stale" | "impossible"> {
    const { live } = this.#options;
    const [snapshot, good] = [await live.store.read(), await live.store.readAt(span.from)];
    const texts = live.tables.current?.inputs.texts ?? [];
    if (good === null) return "impossible";
    // Another ctrl wrote after the history was read: what it touched would be taken for untouched, and its write undone.
    if (snapshot.number !== versions[0]?.number) return "stale";
    let change = planUndo({ snapshot, good, span, versions });
    let compiled = await live.compiler.compile({ texts, stored: afterChange(snapshot, change) });
    if (compiled.table === null || hasErrors(compiled.diagnostics)) {
      // What others pushed since does not stand without it.
      change = await planRestore(good)({ snapshot, declared: new Map() });
      compiled = await live.compiler.compile({ texts, stored: afterChange(snapshot, change) });
      if (compiled.table === null) return "impossible";
    }
    const { puts, deletes, restores } = change;
    const refused = versions.map(({ number }) => number).filter((number) => number > span.from && number <= span.to);
    const commit = { base: snapshot.number, puts, deletes, restores, refused, digest: compiled.table.version };
    const result = await live.store.commit({ ...commit, author: "sluice", reason: refusal.reason });
    if (result.outcome === "stale") return "stale";
    live.record(compiled, { texts, number: result.version.number, origin: "rollback", source: "rollback" });
    return result.version;
  }

  /** The latest version before `to` that a connected edge serves: after a restart of ctrl no table is known to be good, but edges say what they have. */
  async #servedNumber(to: number): Promise<number | null> {
    const served = new Set(this.#options.servedVersions());
    const versions = await this.#options.live.store.versions();
    return versions.find(({ number, digest }) => number < to && served.has(digest))?.number ?? null;
  }
}

function planUndo({
  snapshot,
  good,
  span,
  versions,
}: {
  readonly snapshot: Snapshot;
  readonly good: Snapshot;
  readonly span: Span;
  readonly versions: readonly VersionRecord[];
}): PlannedChange {
  const touched = (isWanted: (number: number) => boolean) =>
    versions.filter(({ number }) => isWanted(number)).flatMap(({ changes }) => changes);
  const since = new Set(touched((number) => number > span.to).map(describeDocument));
  const suspects = new Map(
    touched((number) => number > span.from && number <= span.to).map((change) => [describeDocument(change), change]),
  );
  for (const key of since) suspects.delete(key);
  const puts = [...suspects.keys()].flatMap((key) => good.resources.get(key) ?? []);
  const deletes = [...suspects].filter(([key]) => !good.resources.has(key) && snapshot.resources.has(key));
  return {
    puts,
    deletes: deletes.map(([, change]) => toKey(change)),
    pushed: null,
    restores: since.size === 0 ? span.from : null,
  };
}

function afterChange(snapshot: Snapshot, { puts, deletes }: PlannedChange) {
  const resources = new Map(snapshot.resources);
  for (const key of deletes) resources.delete(describeDocument(key));
  for (const put of puts) {
    resources.set(describeDocument(put), { ...put, resourceVersion: snapshot.number + 1 });
  }
  return [...resources.values()];
}
