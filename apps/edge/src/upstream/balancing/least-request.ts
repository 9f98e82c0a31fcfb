// LEAST_REQUEST as Envoy does it by default: two endpoints at random, the one with fewer requests under way wins. Nearly as even as
// asking all of them, and no herd runs to the one endpoint that has just become free.
import type { Balanced, Random, SimpleChoice } from "./balanced.ts";
import type { SlowStart } from "./slow-start.ts";
import { WeightedDraw } from "./weighted-draw.ts";

export class LeastRequestBalancer<T extends Balanced> implements SimpleChoice<T> {
  private readonly members: readonly T[];
  private readonly draws: WeightedDraw<T>;

  constructor(members: readonly T[], random: Random = Math.random, slowStart: SlowStart | null = null) {
    this.members = members;
    this.draws = new WeightedDraw(members, random, slowStart);
  }

  choose(): T | null {
    const { draws, members } = this;
    if (members.length < 2) return members[0] ?? null;
    const first = draws.draw();
    const second = draws.draw();
    if (first === null || second === null) return first;
    // The draw already follows the weights; load is compared per weight, and a tie goes to the draw.
    return second.activeRequests * first.weight < first.activeRequests * second.weight ? second : first;
  }
}
