// RANDOM. Unlike Envoy's it heeds weights: the compiler works the distribution over localities into them.
import type { Balanced, Random, SimpleChoice } from "./balanced.ts";
import { WeightedDraw } from "./weighted-draw.ts";

export class RandomBalancer<T extends Balanced> implements SimpleChoice<T> {
  private readonly draws: WeightedDraw<T>;

  constructor(members: readonly T[], random: Random = Math.random) {
    this.draws = new WeightedDraw(members, random);
  }

  choose(): T | null {
    return this.draws.draw();
  }
}
