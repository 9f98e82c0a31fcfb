// A histogram that costs a request one array increment and no allocation.
import type { MetricValue } from "./metric-json.ts";

/** Envoy's default bucket bounds, for milliseconds and bytes alike. */
const bounds = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
] as const;

export class Histogram {
  /** One count a bucket (not cumulative), the last for everything above the bounds. */
  readonly #counts = new Float64Array(bounds.length + 1);
  #sum = 0;

  observe(value: number): void {
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += value;
  }

  /** As Prometheus wants it: cumulative buckets, sum and count. */
  values(name: string, labels: Readonly<Record<string, string | number>>): MetricValue[] {
    const values: MetricValue[] = [];
    let total = 0;
    for (let bucket = 0; bucket <= bounds.length; bucket++) {
      total += this.#counts[bucket] ?? 0;
      values.push({ value: total, labels: { ...labels, le: bounds[bucket] ?? "+Inf" }, metricName: `${name}_bucket` });
    }
    values.push({ value: this.#sum, labels, metricName: `${name}_sum` });
    values.push({ value: total, labels, metricName: `${name}_count` });
    return values;
  }
}
