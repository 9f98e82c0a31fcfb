// How many requests a second a contender can do through a door: measured once in a closed loop, before loops that are open at half of it.
import { type ContenderKind, simpleSite } from "./contender.ts";
import type { Tools } from "./generators/load-result.ts";
import type { Lineup } from "./lineup.ts";
import { measure } from "./measure.ts";
import type { ClosedLoad, OpenLoad } from "./scenarios.ts";

export class Saturations {
  readonly #lineup: Lineup;
  readonly #tools: Tools;
  readonly #seconds: number;
  readonly #known = new Map<string, number>();

  constructor(lineup: Lineup, tools: Tools, seconds: number) {
    this.#lineup = lineup;
    this.#tools = tools;
    this.#seconds = seconds;
  }

  /** Requests a second. */
  async of(kind: ContenderKind, { door, path }: OpenLoad): Promise<number> {
    const key = `${kind.name} ${door}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const connections = door === "h2" ? 8 : 64;
    const load: ClosedLoad = { kind: "closed", door, path, connections, streams: 16 };
    const entrant = await this.#lineup.enter({ kind, site: simpleSite, load });
    const { perSecond = Number.NaN } = await measure({ entrant, load, seconds: this.#seconds, rate: 0 }, this.#tools);
    this.#known.set(key, perSecond);
    return perSecond;
  }
}
