// What is measured: the name of each number, its unit and how it is printed.

export type Metric =
  | "perSecond"
  | "cpuUs"
  | "busy"
  | "p50Ms"
  | "p90Ms"
  | "p99Ms"
  | "maxMs"
  | "rssMib"
  | "pssMib"
  | "errors"
  | "ratePerSecond"
  | "reloads"
  | "connectionKib"
  | "openConnections"
  | "readyMs"
  | "workerRssMib";

/** The numbers of one round. Those that a scenario does not have are absent. */
export type Sample = Readonly<Partial<Record<Metric, number>>>;

export interface MetricColumn {
  readonly title: string;
  readonly digits: number;
}

/** In the order of the columns. */
export const metricColumns: Readonly<Record<Metric, MetricColumn>> = {
  perSecond: { title: "requests/s", digits: 0 },
  ratePerSecond: { title: "due/s", digits: 0 },
  cpuUs: { title: "CPU µs a request", digits: 1 },
  busy: { title: "core busy", digits: 2 },
  p50Ms: { title: "p50 ms", digits: 2 },
  p90Ms: { title: "p90 ms", digits: 2 },
  p99Ms: { title: "p99 ms", digits: 2 },
  maxMs: { title: "max ms", digits: 1 },
  openConnections: { title: "connections", digits: 0 },
  connectionKib: { title: "KiB a connection", digits: 1 },
  readyMs: { title: "ready ms", digits: 0 },
  workerRssMib: { title: "worker RSS MiB", digits: 0 },
  rssMib: { title: "RSS MiB", digits: 0 },
  pssMib: { title: "PSS MiB", digits: 0 },
  reloads: { title: "reloads", digits: 0 },
  errors: { title: "errors", digits: 0 },
};

/** All metrics in the order of their columns. */
export const metrics = Object.keys(metricColumns) as readonly Metric[];
