// The last stage: the clusters that a route or a raw connection may go to, and whether anyone is there.
import type { WeightedCluster } from "../model/index.ts";
import type { Reading } from "./reading.ts";

/** What is counted, and what becomes of it when nobody is there. */
export interface Traffic {
  readonly name: string;
  readonly failure: string;
}

export const inRequests: Traffic = { name: "requests", failure: "requests sent to it get 503" };
export const inConnections: Traffic = { name: "connections", failure: "connections sent to it are closed" };

/** Notes every cluster with its share; the heaviest becomes the answer's. */
export function readClusters(
  { table, diary, findings }: Reading,
  clusters: readonly WeightedCluster[],
  traffic: Traffic,
): void {
  findings.clusters = clusters.map(({ cluster, weight }) => ({ name: cluster, weight }));
  const total = clusters.reduce((sum, { weight }) => sum + weight, 0);
  let heaviest = 0;
  for (const { cluster: name, weight } of clusters) {
    if (weight > heaviest) [findings.cluster, heaviest] = [name, weight];
    const share = clusters.length === 1 ? "" : `, ${Number(((100 * weight) / total).toFixed(2))} % of ${traffic.name}`;
    const cluster = table.clusters.find((candidate) => candidate.name === name);
    if (cluster === undefined) {
      diary.rejected("cluster", name, `it does not exist: ${traffic.failure}${share}`);
      continue;
    }
    const healthy = cluster.endpoints.filter((endpoint) => endpoint.healthy).length;
    if (healthy === 0) diary.rejected("cluster", name, `it has no healthy endpoint: ${traffic.failure}${share}`);
    else diary.matched("cluster", name, `${healthy} of ${cluster.endpoints.length} endpoints healthy${share}`);
  }
}
