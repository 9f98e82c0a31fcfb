// The last stage: the clusters that a route or a raw connection may go to, how an endpoint is chosen, and whether anyone is there.
import type { Cluster, Endpoint, WeightedCluster } from "../model/index.ts";
import { describeCluster } from "./describe-cluster.ts";
import type { Reading } from "./reading.ts";

/** What is counted, and what becomes of it when nobody is there. */
export interface Traffic {
  readonly name: string;
  readonly failure: string;
  /** Bytes nobody reads: there is no header, cookie or query to hash. */
  readonly isRaw: boolean;
}

export const inRequests: Traffic = { name: "requests", failure: "requests sent to it get 503", isRaw: false };
export const inConnections: Traffic = {
  name: "connections",
  failure: "connections sent to it are closed",
  isRaw: true,
};

/** Notes every cluster with its share; the heaviest becomes the answer's. */
export function readClusters(reading: Reading, clusters: readonly WeightedCluster[], traffic: Traffic): void {
  const { table, diary, findings } = reading;
  findings.clusters = clusters.map(({ cluster, weight }) => ({ name: cluster, weight }));
  const total = clusters.reduce((sum, { weight }) => sum + weight, 0);
  let heaviest = 0;
  for (const { cluster: name, weight } of clusters) {
    if (weight > heaviest) [findings.cluster, heaviest] = [name, weight];
    const share = clusters.length === 1 ? "" : `, ${Number(((100 * weight) / total).toFixed(2))} % of ${traffic.name}`;
    const cluster = table.clusters.find((candidate) => candidate.name === name);
    if (cluster === undefined) diary.rejected("cluster", name, `it does not exist: ${traffic.failure}${share}`);
    else readCluster(reading, cluster, { share, traffic });
  }
}

function readCluster(
  { diary }: Reading,
  cluster: Cluster,
  { share, traffic: { failure, isRaw } }: { readonly share: string; readonly traffic: Traffic },
): void {
  const { endpoints, name } = cluster;
  const healthy = endpoints.filter((endpoint) => endpoint.healthy).length;
  if (healthy === 0) diary.rejected("cluster", name, `it has no healthy endpoint: ${failure}${share}`);
  else {
    diary.matched("cluster", name, `${healthy} of ${endpoints.length} endpoints healthy${share}`);
    for (const { name: matter, text } of describeCluster(cluster, isRaw)) diary.matched("policy", matter, text);
  }
  for (const endpoint of endpoints.slice(0, maxEndpoints)) noteEndpoint(diary, endpoint, endpoints.length);
  const more = endpoints.length - maxEndpoints;
  if (more > 0) diary.matched("endpoint", `(${more} more)`, "of the same cluster");
}

/** Of each cluster. */
const maxEndpoints = 10;

function noteEndpoint(diary: Reading["diary"], endpoint: Endpoint, count: number): void {
  const { address, healthy, locality, port, priority, weight } = endpoint;
  const host = address.startsWith("unix:") ? address : `${address.includes(":") ? `[${address}]` : address}:${port}`;
  const parts = [healthy ? "ready" : "not ready: it gets nothing"];
  if (count > 1) parts.push(`weight ${weight}`);
  if (priority > 0) parts.push(`priority ${priority}: used when those before it are not enough`);
  if (locality !== "") parts.push(locality);
  const reason = parts.join(", ");
  if (healthy) diary.matched("endpoint", host, reason);
  else diary.rejected("endpoint", host, reason);
}
