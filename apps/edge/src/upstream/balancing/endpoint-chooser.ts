// The choice among the endpoints of a cluster: first the priority level, by its load, then an endpoint in it, by the cluster's balancer.
// Immutable but for `refresh`: a cluster makes a new one when its endpoints or its policy change.
import type { HashBalancer, SimpleBalancer, Warmup } from "@sluice/core/model";
import type { Ejectable, Random, SimpleChoice } from "./balanced.ts";
import type { BalancedRequest } from "./balanced-request.ts";
import { HashChoice } from "./hash-choice.ts";
import { LeastRequestBalancer } from "./least-request.ts";
import { loadOfLevels } from "./priority-load.ts";
import { RandomBalancer } from "./random-balancer.ts";
import { hashRequest } from "./request-hash.ts";
import { RoundRobinBalancer } from "./round-robin.ts";
import { SlowStart } from "./slow-start.ts";
import { Hash64 } from "./xx-hash-64.ts";

export interface Choosable extends Ejectable {
  /** 0 is used first. */
  readonly priority: number;
}

export interface ChoicePolicy {
  readonly balancer: SimpleBalancer | HashBalancer;
  readonly warmup: Warmup | null;
  /** See `loadOfLevels`. */
  readonly panicPercent: number;
  readonly random: Random;
  /** The clock of `knownSinceMs`. */
  readonly nowMs: () => number;
}

interface Level<T extends Choosable> {
  readonly priority: number;
  readonly members: readonly T[];
  /** The requests that go here: those drawn below this, of 100, and not below the level before. */
  upTo: number;
  /** Members that may be chosen. */
  usable: readonly T[];
  /** One of the two: made anew for other usable members, or made of all once. */
  simple: SimpleChoice<T> | null;
  readonly hashed: HashChoice<T> | null;
}

/** Draws before a retry looks for an endpoint that was not tried, one after the other. */
const maxRedraws = 4;
/** Envoy's `update_frequency` as Istio sets it: from this many attempts on, their priority levels are left too. */
const attemptsBeforeLeavingLevels = 2;

export class EndpointChooser<T extends Choosable> {
  private readonly policy: ChoicePolicy;
  private readonly hashKey: HashBalancer["key"] | null;
  private readonly levels: readonly Level<T>[];
  private readonly hash: Hash64;

  constructor(endpoints: readonly T[], policy: ChoicePolicy) {
    this.policy = policy;
    this.hashKey = "key" in policy.balancer ? policy.balancer.key : null;
    const priorities = [...new Set(endpoints.map(({ priority }) => priority))].toSorted((a, b) => a - b);
    this.levels = priorities.map((priority) => createLevel(endpoints, priority, policy.balancer));
    this.hash = new Hash64();
    this.refresh();
  }

  /** Who is ejected has changed. */
  refresh(): void {
    const { levels, policy } = this;
    const health = levels.map(({ members }) => ({
      total: members.length,
      healthy: members.filter(({ isEjected }) => !isEjected).length,
    }));
    let sum = 0;
    for (const [index, { percent, isPanicking }] of loadOfLevels(health, policy.panicPercent).entries()) {
      const level = levels[index] as Level<T>;
      sum += percent;
      level.upTo = percent === 0 ? 0 : sum;
      level.usable = isPanicking ? level.members : level.members.filter(({ isEjected }) => !isEjected);
      if (level.hashed !== null) level.hashed.usesEjected = isPanicking;
      if (!("key" in policy.balancer)) level.simple = this.createSimple(policy.balancer, level.usable);
    }
  }

  /**
   * Null when there is no usable endpoint.
   *
   * @param avoided endpoints to avoid, if their level has others
   * @param left endpoints tried whose levels are to be avoided, from the second on
   */
  choose(request: BalancedRequest | null, avoided: readonly T[], left: readonly T[]): T | null {
    const { hash, hashKey, policy } = this;
    if (hashKey !== null) hashRequest(request, hashKey, policy.random, hash);
    const level =
      left.length >= attemptsBeforeLeavingLevels ? (this.levelWithout(left) ?? this.drawLevel()) : this.drawLevel();
    if (level === null) return null;
    if (level.hashed !== null) return level.hashed.choose(hash, avoided) ?? level.hashed.choose(hash, []);
    return avoided.length === 0 ? (level.simple?.choose() ?? null) : this.chooseUntried(level, avoided);
  }

  private drawLevel(): Level<T> | null {
    const { hash, hashKey, levels, policy } = this;
    const [first] = levels;
    if (first === undefined) return null;
    if (first.upTo === 100) return first;
    // The same key goes to the same level, as long as the loads stay.
    const drawn = hashKey === null ? policy.random() * 100 : hash.modulo(100);
    let last: Level<T> | null = null;
    for (const level of levels) {
      if (drawn < level.upTo) return level;
      if (level.upTo > 0) last = level;
    }
    // Sums of shares may be a hair below 100.
    return last;
  }

  private levelWithout(tried: readonly T[]): Level<T> | null {
    const isLeft = (level: Level<T>) => !tried.some(({ priority }) => priority === level.priority);
    return this.levels.find((level) => level.usable.length > 0 && isLeft(level)) ?? null;
  }

  private chooseUntried({ simple, usable }: Level<T>, tried: readonly T[]): T | null {
    let drawn: T | null = null;
    for (let count = 0; count < maxRedraws; count++) {
      drawn = simple?.choose() ?? null;
      if (drawn === null || !tried.includes(drawn)) return drawn;
    }
    return usable.find((endpoint) => !tried.includes(endpoint)) ?? drawn;
  }

  private createSimple({ kind }: SimpleBalancer, members: readonly T[]): SimpleChoice<T> {
    const { nowMs, random, warmup } = this.policy;
    const slowStart = warmup === null ? null : new SlowStart(members, warmup, nowMs);
    switch (kind) {
      case "least-request":
        return new LeastRequestBalancer(members, random, slowStart);
      case "round-robin":
        return new RoundRobinBalancer(members, random, slowStart);
      case "random":
        return new RandomBalancer(members, random);
    }
  }
}

function createLevel<T extends Choosable>(
  endpoints: readonly T[],
  priority: number,
  balancer: ChoicePolicy["balancer"],
): Level<T> {
  const members = endpoints.filter((endpoint) => endpoint.priority === priority);
  const hashed = "key" in balancer ? new HashChoice(members, balancer) : null;
  return { priority, members, upTo: 0, usable: [], simple: null, hashed };
}
