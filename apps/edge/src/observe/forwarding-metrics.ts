// What is counted of the work that routes add to forwarding: mirrored requests, injected faults, retries that could not be (clusters count
// those that are). Labels come from configuration and code only.
import { type MetricJson, metricJson, type MetricValue } from "./metric-json.ts";

/** `dropped`: given up for a limit of Sluice's. */
export type MirrorResult = "answered" | "failed" | "dropped";

/** `limit`: the route's attempts were used up. `body`: too large to be kept. */
export type RetryObstacle = "limit" | "body";

export class ForwardingMetrics {
  readonly #givenUp = new Map<string, number>();
  readonly #mirrored = new Map<string, number>();
  readonly #faults = new Map<string, number>();

  onRetryGivenUp(cluster: string, obstacle: RetryObstacle): void {
    add(this.#givenUp, `${cluster}\n${obstacle}`);
  }

  onMirrored(cluster: string, result: MirrorResult): void {
    add(this.#mirrored, `${cluster}\n${result}`);
  }

  onFault(kind: "delay" | "abort"): void {
    add(this.#faults, kind);
  }

  collect(): MetricJson[] {
    return [
      metricJson("sluice_upstream_retries_given_up_total", values(this.#givenUp, ["cluster", "reason"])),
      metricJson("sluice_mirrored_requests_total", values(this.#mirrored, ["cluster", "result"])),
      metricJson("sluice_injected_faults_total", values(this.#faults, ["kind"])),
    ];
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function values(counts: ReadonlyMap<string, number>, names: readonly string[]): MetricValue[] {
  return [...counts].map(([key, value]) => {
    const parts = key.split("\n");
    return { value, labels: Object.fromEntries(names.map((name, index) => [name, parts[index] ?? ""])) };
  });
}
