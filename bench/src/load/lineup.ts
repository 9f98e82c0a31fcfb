// The contenders that run for a scenario. They are kept for the next one if it has the same sites, and started anew if not.
import type { Contender, ContenderKind, Site, World } from "./contender.ts";
import type { Load } from "./scenarios.ts";

/** Who is wanted, as what. */
export interface Entry {
  readonly kind: ContenderKind;
  readonly site: Site;
  /** What it will be put to: reloads and 10,000 connections leave their marks, so that those processes are not used for anything else. */
  readonly load: Load;
}

/** A contender, and what it was made for. */
export interface Entrant {
  readonly kind: ContenderKind;
  readonly site: Site;
  readonly contender: Contender;
}

export class Lineup {
  readonly #world: World;
  readonly #entrants = new Map<string, Entrant>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Ends whoever is not wanted. */
  async keep(wanted: readonly Entry[]): Promise<void> {
    const keys = new Set(wanted.map(keyOf));
    for (const [key, { contender }] of this.#entrants) {
      if (keys.has(key)) continue;
      this.#entrants.delete(key);
      await contender.process.stop();
    }
  }

  /** One that runs already, or a new one. */
  async enter(entry: Entry): Promise<Entrant> {
    const { kind, site } = entry;
    const key = keyOf(entry);
    const running = this.#entrants.get(key);
    // One that died under a load gets another chance in the next scenario.
    if (running !== undefined && !running.contender.process.hasEnded) return running;
    const entrant = { kind, site, contender: await kind.start(this.#world, site) };
    this.#entrants.set(key, entrant);
    return entrant;
  }

  /** The last words of one that has ended by itself; empty when it runs or never ran. */
  lastWords(entry: Entry): string {
    const running = this.#entrants.get(keyOf(entry))?.contender.process;
    return running?.hasEnded === true ? ` (its process ended: ${running.stderr.trim()})` : "";
  }

  /** Ends one, so that the next to enter is a new process. */
  async leave(entry: Entry): Promise<void> {
    const key = keyOf(entry);
    const running = this.#entrants.get(key);
    this.#entrants.delete(key);
    await running?.contender.process.stop();
  }
}

function keyOf({ kind, site, load }: Entry): string {
  const isMarked = load.kind === "idle" || (load.kind === "closed" && load.reloadEveryMs !== undefined);
  return `${kind.name} ${isMarked} ${JSON.stringify(site)}`;
}
