// Metrics on their way from a worker to the primary: the JSON shape that prom-client aggregates and prints.
import { metricDefinitions, type MetricDefinition, type MetricName } from "./metric-definitions.ts";

export interface MetricValue {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  /** Histograms: `<name>_bucket`, `<name>_sum`, `<name>_count`. */
  readonly metricName?: string;
}

export interface MetricJson {
  readonly name: string;
  readonly help: string;
  readonly type: MetricDefinition["type"];
  readonly aggregator: "sum";
  readonly values: MetricValue[];
}

/** One metric with its values. Values of the same labels are added up over workers. */
export function metricJson(name: MetricName, values: MetricValue[]): MetricJson {
  const { help, type } = metricDefinitions[name];
  return { name, help, type, aggregator: "sum", values };
}
