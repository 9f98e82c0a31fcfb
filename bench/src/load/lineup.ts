// The contenders that run for a scenario. They are kept for the next one if it has the same sites, and started anew if not.
import type { Contender, ContenderKind, Site, World } from "./contender.ts";

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
  async keep(wanted: readonly Pick<Entrant, "kind" | "site">[]): Promise<void> {
    const keys = new Set(wanted.map(keyOf));
    for (const [key, { contender }] of this.#entrants) {
      if (keys.has(key)) continue;
      this.#entrants.delete(key);
      await contender.process.stop();
    }
  }

  /** One that runs already, or a new one. */
  async enter(kind: ContenderKind, site: Site): Promise<Entrant> {
    const key = keyOf({ kind, site });
    const running = this.#entrants.get(key);
    // One that died under a load gets another chance in the next scenario.
    if (running !== undefined && !running.contender.process.hasEnded) return running;
    const entrant = { kind, site, contender: await kind.start(this.#world, site) };
    this.#entrants.set(key, entrant);
    return entrant;
  }

  /** The last words of one that has ended by itself; empty when it runs or never ran. */
  lastWords(kind: ContenderKind, site: Site): string {
    const running = this.#entrants.get(keyOf({ kind, site }))?.contender.process;
    return running?.hasEnded === true ? ` (its process ended: ${running.stderr.trim()})` : "";
  }

  /** Ends one, so that the next to enter is a new process. */
  async leave(kind: ContenderKind, site: Site): Promise<void> {
    const key = keyOf({ kind, site });
    const running = this.#entrants.get(key);
    this.#entrants.delete(key);
    await running?.contender.process.stop();
  }
}

function keyOf({ kind, site }: Pick<Entrant, "kind" | "site">): string {
  return `${kind.name} ${JSON.stringify(site)}`;
}
