// Names of clusters, as Envoy sees them: `outbound|8000||httpbin.default.svc.cluster.local`.

export interface ClusterKey {
  readonly host: string;
  readonly port: number;
  /** Empty where the destination names none. */
  readonly subset: string;
}

export function formatClusterName({ host, port, subset }: ClusterKey): string {
  return `outbound|${port}|${subset}|${host}`;
}

/** The parts of a cluster's name, or null for a name that `formatClusterName` did not make. */
export function parseClusterName(name: string): ClusterKey | null {
  const [direction, port, subset, host, ...rest] = name.split("|");
  if (direction !== "outbound" || subset === undefined || host === undefined || rest.length > 0) return null;
  return { host, port: Number(port), subset };
}
