// The endpoints of one cluster: those of its port that its subset selects, in the order and with the weights that locality gives them.
import { type Endpoint, type LocalitySettings, selects } from "../model/index.ts";
import type { EffectivePolicy } from "./effective-policy.ts";
import type { Instance } from "./instances.ts";
import { prioritize } from "./locality-failover.ts";
import { shareOut } from "./locality-shares.ts";
import type { FoundSubset } from "./merged-rule.ts";
import type { CompileOptions } from "./options.ts";

/** The instances that a subset selects; all of them without one. */
export function instancesOfSubset(instances: readonly Instance[], found: FoundSubset | null): readonly Instance[] {
  const selector = found?.subset.labels ?? {};
  return instances.filter(({ labels }) => selects(selector, labels));
}

/**
 * Locality preference is Istio's default wherever there is outlier detection. `distribute` replaces it and needs no detection; where it
 * says nothing of the gateway's own locality, endpoints are left as they are.
 */
export function placeEndpoints(
  instances: readonly Instance[],
  { loadBalancer, outlierDetection }: EffectivePolicy,
  gateway: CompileOptions["gateway"],
): readonly Endpoint[] {
  const endpoints = instances.map(({ endpoint }) => endpoint);
  const settings: LocalitySettings = loadBalancer?.localityLbSetting ?? {};
  const { enabled = true, distribute = [], failover = [], failoverPriority = [] } = settings;
  if (!enabled) return endpoints;
  if (distribute.length > 0) return shareOut(endpoints, distribute, gateway.locality) ?? endpoints;
  return outlierDetection === undefined ? endpoints : prioritize(instances, { failover, failoverPriority }, gateway);
}
