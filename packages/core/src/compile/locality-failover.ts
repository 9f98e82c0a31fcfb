// Which endpoints are used first because of where they run: Envoy's priorities, computed as istiod does from the gateway's own
// locality and labels. Only with outlier detection: without it nothing would ever tell that the first ones fail.
import { type Endpoint, labelOf, type Locality, parseLocality, type RegionFailover } from "../model/index.ts";
import type { CompileOptions } from "./options.ts";
import type { Instance } from "./instances.ts";

type Gateway = CompileOptions["gateway"];
type Labels = Readonly<Record<string, string>>;

export interface FailoverSettings {
  readonly failover: readonly RegionFailover[];
  readonly failoverPriority: readonly string[];
}

/** The endpoints with their priorities, which begin at 0 and leave no gap. */
export function prioritize(
  instances: readonly Instance[],
  { failover, failoverPriority }: FailoverSettings,
  gateway: Gateway,
): readonly Endpoint[] {
  const ranks = instances.map(({ endpoint, labels }) => {
    const byLabels = labelRank(failoverPriority, { ...labels, ...topologyLabels(endpoint.locality) }, gateway);
    // Labels decide alone, unless regions are named as well: those refine what the labels left equal.
    const usesLocality = failoverPriority.length === 0 || failover.length > 0;
    return byLabels * localityRanks + (usesLocality ? localityRank(endpoint.locality, failover, gateway) : 0);
  });
  const inOrder = [...new Set(ranks)].toSorted((a, b) => a - b);
  return instances.map(({ endpoint }, index) => ({ ...endpoint, priority: inOrder.indexOf(ranks[index] ?? 0) }));
}

/** How many ranks `localityRank` knows. */
const localityRanks = 5;

/**
 * 0: the same subzone, 1: zone, 2: region; 3: another region, or the one that `failover` names for ours; 4: any other while it names
 * one. A gateway that does not know where it runs prefers nobody.
 */
function localityRank(text: string, failover: readonly RegionFailover[], gateway: Gateway): number {
  if (gateway.locality === "") return 0;
  const own = parseLocality(gateway.locality);
  const other: Locality = parseLocality(text);
  if (own.region !== other.region) {
    const named = failover.find(({ from }) => from === own.region);
    return named === undefined || named.to === other.region ? 3 : 4;
  }
  if (own.zone !== other.zone) return 2;
  return own.subzone === other.subzone ? 0 : 1;
}

/** How many of the labels, counted from the last, lie behind the first one that differs from the gateway's. */
function labelRank(entries: readonly string[], labels: Labels, gateway: Gateway): number {
  const own: Labels = { ...gateway.labels, ...topologyLabels(gateway.locality) };
  const differing = entries.findIndex((entry) => {
    const [key = "", ...value] = entry.split("=");
    const wanted = value.length > 0 ? value.join("=") : labelOf(own, key);
    return wanted !== labelOf(labels, key);
  });
  return differing < 0 ? 0 : entries.length - differing;
}

/** Localities as the labels that Kubernetes and Istio put on workloads. */
function topologyLabels(locality: string): Labels {
  const { region, zone, subzone } = parseLocality(locality);
  const labels = {
    "topology.kubernetes.io/region": region,
    "topology.kubernetes.io/zone": zone,
    "topology.istio.io/subzone": subzone,
  };
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ""));
}
