// Endpoints that are resources of their own: WorkloadEntries, and Pods, which Services and ServiceEntries pick by labels.
import { isIP } from "node:net";
import { plainEndpoint, type PodSpec, type Resource, type WorkloadEndpoint } from "../model/index.ts";
import type { Instance } from "./instances.ts";
import { selects } from "./labels.ts";

/** The port a workload is reached at: what it says itself of the first of `names` that it knows, else `otherwise`. */
export interface PortOfWorkload {
  readonly names: readonly string[];
  readonly otherwise: number;
}

/** Which workloads: those of a namespace that have all these labels. */
export interface WorkloadScope {
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  /** False: an address that is a name is left out, since nobody would look it up. */
  readonly resolvesNames: boolean;
}

export type WorkloadsByNamespace = ReadonlyMap<string, readonly Resource<WorkloadEndpoint>[]>;
export type PodsByNamespace = ReadonlyMap<string, readonly Resource<PodSpec>[]>;

/** The WorkloadEntries that a selector picks. Their labels are those of `spec` and, behind them, of `metadata`. */
export function workloadInstances(
  workloads: WorkloadsByNamespace,
  port: PortOfWorkload,
  { namespace, selector, resolvesNames }: WorkloadScope,
): readonly Instance[] {
  const own = workloads.get(namespace) ?? [];
  return own
    .map(({ labels, spec }) => ({ ...spec, labels: { ...labels, ...spec.labels } }))
    .filter(({ address, labels }) => selects(selector, labels) && (resolvesNames || isAddress(address)))
    .map((workload) => toInstance(workload, port));
}

/** The Pods that a selector picks; those without an address yet are not there. */
export function podInstances(
  pods: PodsByNamespace,
  port: PortOfWorkload,
  { namespace, selector }: WorkloadScope,
): readonly Instance[] {
  const own = pods.get(namespace) ?? [];
  return own.flatMap(({ labels, spec: { ip, isReady } }) => {
    if (ip === undefined || !selects(selector, labels)) return [];
    return [{ endpoint: { ...plainEndpoint(ip, port.otherwise), healthy: isReady }, labels }];
  });
}

/** One listed endpoint. A Unix socket has no port. */
export function toInstance(workload: WorkloadEndpoint, { names, otherwise }: PortOfWorkload): Instance {
  const { address, ports = {}, labels = {}, locality = "", weight } = workload;
  const name = names.find((candidate) => Object.hasOwn(ports, candidate));
  const port = isUnixSocket(address) ? 0 : ((name === undefined ? undefined : ports[name]) ?? otherwise);
  const isWeighted = weight !== undefined && weight > 0;
  return {
    endpoint: {
      ...plainEndpoint(address, port),
      weight: isWeighted ? weight : 1,
      locality: locality.replace(/\/+$/, ""),
    },
    labels,
  };
}

function isAddress(address: string): boolean {
  return isIP(address) > 0 || isUnixSocket(address);
}

function isUnixSocket(address: string): boolean {
  return address.startsWith("unix:");
}
