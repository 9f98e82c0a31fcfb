// /clusters of the admin port: every endpoint once, with what the workers, who choose and eject each by themselves, say of it.
import type { EndpointStatus } from "../upstream/cluster-counters.ts";

interface WorkerEndpoints {
  readonly number: number;
  endpoints(): Promise<Readonly<Record<string, readonly EndpointStatus[]>>>;
}

interface EndpointReport extends Pick<EndpointStatus, "address" | "weight" | "priority" | "locality"> {
  /** Of all workers. */
  activeRequests: number;
  readonly ejectedBy: { readonly worker: number; readonly reason: string; readonly leftMs: number }[];
}

/** By cluster. A worker that does not answer in time is left out. */
export async function endpointsOfWorkers(
  workers: readonly WorkerEndpoints[],
): Promise<Record<string, EndpointReport[]>> {
  const answers = await Promise.all(workers.map(async (worker) => [worker.number, await worker.endpoints()] as const));
  const clusters = new Map<string, Map<string, EndpointReport>>();
  for (const [worker, answer] of answers) {
    for (const [name, endpoints] of Object.entries(answer)) {
      const reports = clusters.get(name) ?? new Map<string, EndpointReport>();
      clusters.set(name, reports);
      for (const endpoint of endpoints) addTo(reports, worker, endpoint);
    }
  }
  return Object.fromEntries([...clusters].map(([name, reports]) => [name, [...reports.values()]]));
}

function addTo(reports: Map<string, EndpointReport>, worker: number, endpoint: EndpointStatus): void {
  const { activeRequests, address, ejectedFor, ejectedForMs, locality, priority, weight } = endpoint;
  const known = reports.get(address);
  const report = known ?? { address, weight, priority, locality, activeRequests: 0, ejectedBy: [] };
  report.activeRequests += activeRequests;
  if (ejectedFor !== null) report.ejectedBy.push({ worker, reason: ejectedFor, leftMs: ejectedForMs });
  if (known === undefined) reports.set(address, report);
}
