// The traffic policy of one cluster, put together from the levels of its DestinationRule: a subset's settings override the rule's own
// field by field, and at both levels those of the port replace the others (istio-semantics 1.3).
import type { ClientTlsSettings, PortTrafficPolicy, RetryBudgetSettings, TrafficPolicy } from "../model/index.ts";
import type { Site } from "./findings.ts";
import type { FoundSubset, MergedRule } from "./merged-rule.ts";

export interface EffectivePolicy extends Omit<PortTrafficPolicy, "tls"> {
  readonly tls?: SitedTls | undefined;
  readonly proxyProtocol?: TrafficPolicy["proxyProtocol"];
  readonly retryBudget?: RetryBudgetSettings | undefined;
}

/** A `tls` block and where it stands: findings about its certificates name that place. */
export interface SitedTls {
  readonly settings: ClientTlsSettings;
  readonly site: Site;
}

interface Level {
  readonly policy: TrafficPolicy;
  readonly site: Site;
}

/** What holds for one port of a host, or of a subset of it. */
export function effectivePolicy(rule: MergedRule | null, subset: FoundSubset | null, port: number): EffectivePolicy {
  if (rule === null) return {};
  const { speaker } = rule;
  const levels: Level[] = [];
  if (speaker.spec.trafficPolicy !== undefined) {
    levels.push({ policy: speaker.spec.trafficPolicy, site: { resource: speaker, path: ["spec", "trafficPolicy"] } });
  }
  if (subset?.subset.trafficPolicy !== undefined) {
    const path = ["spec", "subsets", subset.index, "trafficPolicy"];
    levels.push({ policy: subset.subset.trafficPolicy, site: { resource: subset.rule, path } });
  }
  return levels.reduce((policy: EffectivePolicy, level) => applyLevel(policy, level, port), {});
}

function applyLevel(base: EffectivePolicy, { policy, site }: Level, port: number): EffectivePolicy {
  const settings = policy.portLevelSettings ?? [];
  const index = settings.findIndex((candidate) => candidate.port.number === port);
  const ofPort = settings[index];
  const own = ofPort ?? policy;
  // What a port's settings leave out is Istio's default: nothing of the levels above stays.
  const above = ofPort === undefined ? base : {};
  const tlsPath = [...site.path, ...(ofPort === undefined ? [] : ["portLevelSettings", index]), "tls"];
  return {
    connectionPool: own.connectionPool ?? above.connectionPool,
    loadBalancer: own.loadBalancer ?? above.loadBalancer,
    outlierDetection: own.outlierDetection ?? above.outlierDetection,
    tls: own.tls === undefined ? above.tls : { settings: own.tls, site: { ...site, path: tlsPath } },
    // These two have no place among a port's settings.
    proxyProtocol: policy.proxyProtocol ?? base.proxyProtocol,
    retryBudget: policy.retryBudget ?? base.retryBudget,
  };
}
