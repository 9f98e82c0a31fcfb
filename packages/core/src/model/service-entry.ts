// ServiceEntry and WorkloadEntry as checked: hosts outside of Kubernetes and what is behind them (istio-semantics 1.4).
import type { Labels } from "./labels.ts";
import type { Resource } from "./resource.ts";

export interface ServiceEntrySpec {
  readonly hosts: readonly string[];
  readonly addresses?: readonly string[] | undefined;
  readonly ports?: readonly ServiceEntryPort[] | undefined;
  readonly location?: "MESH_EXTERNAL" | "MESH_INTERNAL" | undefined;
  readonly resolution?: "STATIC" | "DNS" | "DNS_ROUND_ROBIN" | undefined;
  readonly endpoints?: readonly WorkloadEndpoint[] | undefined;
  /** Instead of `endpoints`: WorkloadEntries and Pods of the same namespace. */
  readonly workloadSelector?: { readonly labels?: Readonly<Record<string, string>> | undefined } | undefined;
  /** What an upstream's certificate must carry, unless a DestinationRule names something else. */
  readonly subjectAltNames?: readonly string[] | undefined;
  readonly exportTo?: readonly string[] | undefined;
}

export interface ServiceEntryPort {
  readonly number: number;
  readonly name: string;
  readonly protocol?: string | undefined;
  readonly targetPort?: number | undefined;
}

export interface WorkloadEndpoint {
  /** An IP address, a name to resolve, `unix:///path` or `unix://@abstract`. */
  readonly address: string;
  /** By the service port's name; what it leaves out is the service's target port. */
  readonly ports?: Readonly<Record<string, number>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** `region/zone/subzone`. */
  readonly locality?: string | undefined;
  readonly weight?: number | undefined;
}

/** One endpoint that ServiceEntries and Services select by its labels. */
export type WorkloadEntrySpec = WorkloadEndpoint;

/** What a WorkloadEntry is selected by: the labels of `spec` and, behind them, of `metadata`. */
export function workloadLabels({ labels, spec }: Resource<WorkloadEntrySpec>): Labels {
  return { ...labels, ...spec.labels };
}
