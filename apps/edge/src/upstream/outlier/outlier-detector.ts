// Outlier detection of one cluster (Envoy's, for errors in a row): takes endpoints that fail out of the choice, and brings them back. Each
// worker decides from what it sees itself.
import type { OutlierDetection } from "@sluice/core/model";
import { type EjectionReason, HostMonitor, type MonitorOwner } from "./host-monitor.ts";

/** An endpoint that is watched. */
export interface OutlierTarget {
  readonly address: string;
  isEjected: boolean;
  monitor: HostMonitor | null;
}

/** Something that operators are told. */
export type OutlierEvent =
  | { readonly kind: "ejected"; readonly endpoint: string; readonly reason: EjectionReason; readonly ejectedMs: number }
  | { readonly kind: "returned"; readonly endpoint: string; readonly reason: EjectionReason };

export interface OutlierDetectorOptions {
  readonly nowMs: () => number;
  /** The set of ejected endpoints has changed. */
  readonly onChange: () => void;
  readonly onEvent: (event: OutlierEvent) => void;
}

export interface OutlierStats {
  readonly ejected: readonly { readonly endpoint: string; readonly reason: EjectionReason; readonly leftMs: number }[];
  readonly ejectionsTotal: Readonly<Record<EjectionReason, number>>;
  /** Ejections that `maxEjectionPercent` did not allow. */
  readonly refusedTotal: number;
}

/** Envoy's `max_ejection_time`, which Istio leaves alone: however often an endpoint fails, it is tried again. */
const maxEjectionMs = 300_000;

export class OutlierDetector implements MonitorOwner {
  private readonly options: OutlierDetectorOptions;
  private readonly ejectionsTotal: Record<EjectionReason, number>;
  private current: OutlierDetection | null;
  private targets: readonly OutlierTarget[];
  private monitors: Map<string, HostMonitor>;
  private timer: NodeJS.Timeout | null;
  private refusedTotal: number;

  constructor(options: OutlierDetectorOptions) {
    this.options = options;
    this.ejectionsTotal = { "consecutive-5xx": 0, "consecutive-gateway-errors": 0, "consecutive-local-errors": 0 };
    this.current = null;
    this.targets = [];
    this.monitors = new Map();
    this.timer = null;
    this.refusedTotal = 0;
  }

  get config(): OutlierDetection {
    if (this.current === null) throw new Error("outlier detection is off");
    return this.current;
  }

  /** Watches these endpoints. Those known by their address keep their record, also when how they are reached has changed. */
  watch(watched: Iterable<OutlierTarget>, config: OutlierDetection | null): void {
    if (config === null && this.current === null) return;
    const targets = [...watched];
    const isOtherInterval = config?.intervalMs !== this.current?.intervalMs;
    const known = config === null ? new Map<string, HostMonitor>() : this.monitors;
    // Endpoints that leave still have requests under way, whose answers are nobody's concern any more.
    for (const target of this.targets) target.monitor = null;
    this.current = config;
    this.targets = targets;
    this.monitors = new Map();
    for (const target of targets) {
      target.monitor = config === null ? null : (known.get(target.address) ?? new HostMonitor(target.address, this));
      target.isEjected = target.monitor !== null && target.monitor.ejectedFor !== null;
      if (target.monitor !== null) this.monitors.set(target.address, target.monitor);
    }
    if (isOtherInterval || !this.needsSweep()) this.stop();
    this.startIfNeeded();
  }

  onOutlier(monitor: HostMonitor, reason: EjectionReason): void {
    // It may have left the cluster with requests under way.
    if (this.current === null || this.monitors.get(monitor.address) !== monitor) return;
    if (!this.mayEject(this.current)) {
      this.refusedTotal++;
      return;
    }
    const { baseEjectionTimeMs } = this.current;
    monitor.multiplier++;
    const ejectedMs = Math.min(baseEjectionTimeMs * monitor.multiplier, Math.max(maxEjectionMs, baseEjectionTimeMs));
    monitor.ejectedFor = reason;
    monitor.returnsAtMs = this.options.nowMs() + ejectedMs;
    this.ejectionsTotal[reason]++;
    this.mark();
    this.startIfNeeded();
    this.options.onEvent({ kind: "ejected", endpoint: monitor.address, reason, ejectedMs });
  }

  /** Once an interval: brings back whose time is over, and forgives a little to those that behaved. */
  sweep(): void {
    const nowMs = this.options.nowMs();
    let hasReturned = false;
    for (const monitor of this.monitors.values()) {
      if (monitor.ejectedFor === null) {
        if (monitor.multiplier > 0) monitor.multiplier--;
      } else if (monitor.returnsAtMs <= nowMs) {
        const reason = monitor.ejectedFor;
        monitor.ejectedFor = null;
        monitor.reset();
        hasReturned = true;
        this.options.onEvent({ kind: "returned", endpoint: monitor.address, reason });
      }
    }
    if (hasReturned) this.mark();
    if (!this.needsSweep()) this.stop();
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  stats(): OutlierStats {
    const nowMs = this.options.nowMs();
    const ejected = [...this.monitors.values()].flatMap(({ address, ejectedFor, returnsAtMs }) =>
      ejectedFor === null
        ? []
        : [{ endpoint: address, reason: ejectedFor, leftMs: Math.max(0, Math.round(returnsAtMs - nowMs)) }],
    );
    return { ejected, ejectionsTotal: this.ejectionsTotal, refusedTotal: this.refusedTotal };
  }

  /** `maxEjectionPercent` of the endpoints, but one in any case: 10 % of three would be none. */
  private mayEject({ maxEjectionPercent }: OutlierDetection): boolean {
    if (maxEjectionPercent === 0) return false;
    const active = this.ejectedCount();
    return active === 0 || 100 * (active + 1) <= maxEjectionPercent * this.monitors.size;
  }

  private ejectedCount(): number {
    let count = 0;
    for (const { ejectedFor } of this.monitors.values()) if (ejectedFor !== null) count++;
    return count;
  }

  private mark(): void {
    for (const target of this.targets) target.isEjected = target.monitor !== null && target.monitor.ejectedFor !== null;
    this.options.onChange();
  }

  private needsSweep(): boolean {
    for (const { ejectedFor, multiplier } of this.monitors.values()) {
      if (ejectedFor !== null || multiplier > 0) return true;
    }
    return false;
  }

  /** Nobody ejected, nothing to forgive: thousands of healthy clusters need no timers. */
  private startIfNeeded(): void {
    if (this.timer !== null || this.current === null || !this.needsSweep()) return;
    this.timer = setInterval(() => this.sweep(), this.current.intervalMs);
    this.timer.unref();
  }
}
