// Counts what listeners report: connections, failed handshakes, refused requests.
import type { FailureCode } from "../exchange/failure.ts";
import { type MetricJson, metricJson, type MetricValue } from "./metric-json.ts";

/** Counts by up to three labels that come from configuration and code, never from clients. */
class Counts {
  readonly #values = new Map<string, number>();

  add(key: string, amount: number): void {
    this.#values.set(key, (this.#values.get(key) ?? 0) + amount);
  }

  values(names: readonly string[]): MetricValue[] {
    return [...this.#values].map(([key, value]) => {
      const parts = key.split("\n");
      return { value, labels: Object.fromEntries(names.map((name, index) => [name, parts[index] ?? ""])) };
    });
  }
}

export class ListenerMetrics {
  readonly #open = new Counts();
  readonly #accepted = new Counts();
  readonly #handshakeFailures = new Counts();
  readonly #refusedRequests = new Counts();

  onConnectionOpened(listener: string): void {
    this.#open.add(listener, 1);
    this.#accepted.add(listener, 1);
  }

  onConnectionClosed(listener: string): void {
    this.#open.add(listener, -1);
  }

  onHandshakeFailed(listener: string, filterChain: string | null, reason: string): void {
    this.#handshakeFailures.add(`${listener}\n${filterChain ?? ""}\n${reason}`, 1);
  }

  onRequestRefused(listener: string, failure: FailureCode): void {
    this.#refusedRequests.add(`${listener}\n${failure}`, 1);
  }

  collect(): MetricJson[] {
    return [
      metricJson("sluice_downstream_connections", this.#open.values(["listener"])),
      metricJson("sluice_downstream_connections_total", this.#accepted.values(["listener"])),
      metricJson(
        "sluice_downstream_handshake_failures_total",
        this.#handshakeFailures.values(["listener", "filter_chain", "reason"]),
      ),
      metricJson("sluice_downstream_refused_requests_total", this.#refusedRequests.values(["listener", "reason"])),
    ];
  }
}
