// The traffic policy of one cluster, put together from the levels of its DestinationRule: a subset's settings override the rule's own
// field by field, and at both levels those of the port replace the others (istio-semantics 1.3).
import type {
  ClientTlsSettings,
  FieldPath,
  PortTrafficPolicy,
  RetryBudgetSettings,
  TrafficPolicy,
} from "../model/index.ts";
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
  const { proxyProtocol = base.proxyProtocol, retryBudget = base.retryBudget } = policy;
  const { connectionPool = base.connectionPool, loadBalancer = base.loadBalancer } = policy;
  const { outlierDetection = base.outlierDetection } = policy;
  const whole = { proxyProtocol, retryBudget };
  const settings = policy.portLevelSettings ?? [];
  const index = settings.findIndex((candidate) => candidate.port.number === port);
  const ofPort = settings[index];
  // What a port's settings leave out is Istio's default, not what the levels above say.
  if (ofPort !== undefined) {
    const { connectionPool: pool, loadBalancer: balancer, outlierDetection: outliers } = ofPort;
    const tls = siteTls(ofPort.tls, site, ["portLevelSettings", index]);
    return { ...whole, connectionPool: pool, loadBalancer: balancer, outlierDetection: outliers, tls };
  }
  return { ...whole, connectionPool, loadBalancer, outlierDetection, tls: siteTls(policy.tls, site, []) ?? base.tls };
}

function siteTls(
  settings: ClientTlsSettings | undefined,
  { resource, path }: Site,
  below: FieldPath,
): SitedTls | undefined {
  return settings === undefined ? undefined : { settings, site: { resource, path: [...path, ...below, "tls"] } };
}
