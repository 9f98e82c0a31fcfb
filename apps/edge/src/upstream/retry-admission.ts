// Whether one more retry may begin: when an upstream is down, retries must not multiply the load that it may have gone down under.
import type { ClusterLimits } from "@sluice/core/model";
import type { ClusterCounters } from "./cluster-counters.ts";

/** Slots that the budget's interval is counted in: what leaves it leaves in steps of a tenth. */
const slotCount = 10;

export class RetryAdmission {
  private readonly counters: ClusterCounters;
  private readonly nowMs: () => number;
  private limits: Pick<ClusterLimits, "maxRetries" | "retryBudget">;
  /** Requests that ended, by slot of time; used only where the budget has an interval. */
  private ended: Float64Array | null;
  private slot: number;

  constructor(
    limits: Pick<ClusterLimits, "maxRetries" | "retryBudget">,
    counters: ClusterCounters,
    nowMs: () => number,
  ) {
    this.limits = limits;
    this.counters = counters;
    this.nowMs = nowMs;
    this.ended = null;
    this.slot = 0;
  }

  update(limits: Pick<ClusterLimits, "maxRetries" | "retryBudget">): void {
    this.limits = limits;
  }

  begin(): boolean {
    const { counters } = this;
    if (counters.activeRetries >= this.allowedRetries()) {
      counters.retryOverflowTotal++;
      return false;
    }
    counters.activeRetries++;
    counters.retryTotal++;
    return true;
  }

  end(): void {
    this.counters.activeRetries--;
  }

  onRequestEnded(): void {
    const intervalMs = this.limits.retryBudget?.intervalMs ?? 0;
    if (intervalMs === 0) return;
    const ended = this.endedBy(intervalMs);
    const index = this.slot % slotCount;
    ended[index] = (ended[index] ?? 0) + 1;
  }

  private allowedRetries(): number {
    const { maxRetries, retryBudget } = this.limits;
    if (retryBudget === null) return maxRetries || Infinity;
    const { intervalMs, minRetryConcurrency, percent } = retryBudget;
    const requests = this.counters.activeRequests + (intervalMs === 0 ? 0 : this.recentlyEnded(intervalMs));
    return Math.max(minRetryConcurrency, Math.floor((requests * percent) / 100));
  }

  private recentlyEnded(intervalMs: number): number {
    let sum = 0;
    for (const count of this.endedBy(intervalMs)) sum += count;
    return sum;
  }

  /** The slots of the interval until now: those that time has passed over are emptied. */
  private endedBy(intervalMs: number): Float64Array {
    const ended = (this.ended ??= new Float64Array(slotCount));
    const slot = Math.floor((this.nowMs() * slotCount) / intervalMs);
    const passed = Math.min(slotCount, Math.abs(slot - this.slot));
    for (let back = 0; back < passed; back++) ended[(slot - back) % slotCount] = 0;
    this.slot = slot;
    return ended;
  }
}
