// ROUND_ROBIN: in turn, by weight (Envoy's earliest deadline first). Where in the round a worker begins is random: otherwise all workers
// of all machines would send their first requests to the same endpoint.
import type { Balanced, Random, SimpleChoice } from "./balanced.ts";
import { EdfQueue } from "./edf-queue.ts";
import type { SlowStart } from "./slow-start.ts";

/** Turns that are skipped at the start, at most: a long round need not be walked to be somewhere in it. */
const maxSkippedTurns = 128;

export class RoundRobinBalancer<T extends Balanced> implements SimpleChoice<T> {
  private readonly members: readonly T[];
  /** Null when no member is new, or none any more. */
  private slowStart: SlowStart | null;
  private slowStartStep: number;
  /** Null when all weigh the same and none is new: then a counter does. */
  private queue: EdfQueue | null;
  private nextIndex: number;

  constructor(members: readonly T[], random: Random = Math.random, slowStart: SlowStart | null = null) {
    this.members = members;
    this.slowStart = slowStart;
    this.slowStartStep = 0;
    this.queue = null;
    this.renewQueue();
    this.nextIndex = Math.floor(random() * members.length);
    if (this.queue === null) return;
    for (let turn = Math.floor(random() * maxSkippedTurns); turn > 0; turn--) this.choose();
  }

  choose(): T | null {
    // A turn is given by the weight of the turn before: one of next to nothing would come long after it has grown.
    if (this.slowStart !== null && this.slowStart.step !== this.slowStartStep) this.renewQueue();
    const { members, queue } = this;
    if (queue === null) {
      const member = members[this.nextIndex] ?? null;
      this.nextIndex = this.nextIndex + 1 < members.length ? this.nextIndex + 1 : 0;
      return member;
    }
    const member = members[queue.next] ?? null;
    if (member !== null) queue.takeTurn(this.weightOf(member));
    return member;
  }

  private renewQueue(): void {
    const { members, slowStart } = this;
    if (slowStart !== null && !slowStart.isUnderWay()) this.slowStart = null;
    this.slowStartStep = slowStart?.step ?? 0;
    const isEven = members.every(({ weight }) => weight === members[0]?.weight);
    const weights = members.map((member) => this.weightOf(member));
    this.queue = isEven && this.slowStart === null ? null : new EdfQueue(weights);
  }

  private weightOf(member: T): number {
    return this.slowStart === null ? member.weight : member.weight * this.slowStart.factorOf(member);
  }
}
