// Istio's TCP metrics: what is counted of forwarded connections, by listener and cluster. Labels come from configuration only.
import { type FailureCode, failures } from "../exchange/failure.ts";
import { type MetricJson, metricJson, type MetricValue } from "./metric-json.ts";

/** The connections of one listener to one cluster. Bytes are counted as they move: such connections live for days. */
export class NetworkCounter {
  bytesReceived = 0;
  bytesSent = 0;
  opened = 0;
  readonly closedByFlag = new Map<string, number>();
  open = 0;

  onOpened(): void {
    this.opened++;
    this.open++;
  }

  onClosed(failure: FailureCode | null): void {
    const flag = failure === null ? "-" : failures[failure].flag;
    this.closedByFlag.set(flag, (this.closedByFlag.get(flag) ?? 0) + 1);
    this.open--;
  }
}

export interface NetworkCounterKey {
  readonly listener: string;
  /** Empty where none was chosen. */
  readonly cluster: string;
  /** The cluster's host. */
  readonly destination: string;
}

interface Row {
  readonly key: NetworkCounterKey;
  readonly counter: NetworkCounter;
}

export class NetworkMetrics {
  readonly #rows = new Map<string, Row>();

  /** The same names give the same counter, so that counts survive a new table. */
  counterOf(key: NetworkCounterKey): NetworkCounter {
    const id = `${key.listener}\n${key.cluster}`;
    let row = this.#rows.get(id);
    if (row === undefined) {
      row = { key, counter: new NetworkCounter() };
      this.#rows.set(id, row);
    }
    return row.counter;
  }

  collect(): MetricJson[] {
    const rows = [...this.#rows.values()];
    const each = (value: (counter: NetworkCounter) => number): MetricValue[] =>
      rows.map(({ key, counter }) => ({ value: value(counter), labels: istioLabels(key) }));
    const closed = rows.flatMap(({ key, counter }) =>
      [...counter.closedByFlag].map(([flag, value]): MetricValue => ({
        value,
        labels: { ...istioLabels(key), response_flags: flag },
      })),
    );
    const open = rows.map(({ key: { listener, cluster }, counter }): MetricValue => ({
      value: counter.open,
      labels: { listener, cluster },
    }));
    return [
      metricJson(
        "istio_tcp_connections_opened_total",
        each(({ opened }) => opened),
      ),
      metricJson("istio_tcp_connections_closed_total", closed),
      metricJson(
        "istio_tcp_received_bytes_total",
        each(({ bytesReceived }) => bytesReceived),
      ),
      metricJson(
        "istio_tcp_sent_bytes_total",
        each(({ bytesSent }) => bytesSent),
      ),
      metricJson("sluice_tcp_connections", open),
    ];
  }
}

function istioLabels({ listener, cluster, destination }: NetworkCounterKey): Record<string, string> {
  return {
    reporter: "source",
    destination_service: destination === "" ? "unknown" : destination,
    listener,
    cluster,
    request_protocol: "tcp",
  };
}
