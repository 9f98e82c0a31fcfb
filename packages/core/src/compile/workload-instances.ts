// Endpoints that are resources of their own: WorkloadEntries, and Pods, which Services and ServiceEntries pick by labels.
import { isIP } from "node:net";
import {
  type LabelIndex,
  plainEndpoint,
  type PodSpec,
  type WorkloadEndpoint,
  type WorkloadEntrySpec,
  workloadLabels,
} from "../model/index.ts";
import type { Instance } from "./instances.ts";

/** The port a workload is reached at: what it says itself of the first of `names` that it knows, else `otherwise`. */
export interface PortOfWorkload {
  readonly names: readonly string[];
  readonly otherwise: number;
}

/** Which workloads: those of a namespace that have all these labels. */
export interface WorkloadScope {
  readonly namespace: string;
  readonly selector: Readonly<Record<string, string>>;
  /** True: names are looked up, and Unix sockets are left out. False: names are left out, since nobody would look them up. */
  readonly resolvesNames: boolean;
}

/** The WorkloadEntries that a selector picks. */
export function workloadInstances(
  workloads: LabelIndex<WorkloadEntrySpec>,
  port: PortOfWorkload,
  { namespace, selector, resolvesNames }: WorkloadScope,
): readonly Instance[] {
  return workloads
    .select(namespace, selector)
    .filter(({ spec }) => isReachable(spec.address, resolvesNames))
    .map((workload) => toInstance({ ...workload.spec, labels: workloadLabels(workload) }, port));
}

/** The Pods that a selector picks; those without an address yet are not there. */
export function podInstances(
  pods: LabelIndex<PodSpec>,
  port: PortOfWorkload,
  { namespace, selector }: WorkloadScope,
): readonly Instance[] {
  return pods.select(namespace, selector).flatMap(({ labels, spec: { ip, isReady } }) => {
    if (ip === undefined) return [];
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

function isReachable(address: string, resolvesNames: boolean): boolean {
  return isIP(address) > 0 || isUnixSocket(address) !== resolvesNames;
}

function isUnixSocket(address: string): boolean {
  return address.startsWith("unix:");
}
