// `localityLbSetting` of a load balancer: its schema and rules, those of istiod's webhook.
import { z } from "zod";
import type { FieldPath, LocalitySettings, LocalityShares, RegionFailover } from "../model/index.ts";
import { quote } from "../parse/finding.ts";
import type { BalancerScope } from "./load-balancer.ts";
import { text, textList } from "./primitives.ts";
import type { Reporter } from "./reporter.ts";

const shares: z.ZodType<LocalityShares> = z.strictObject({
  from: text.optional(),
  to: z.record(z.string(), z.int().min(1).max(100)).optional(),
});

const regionFailover: z.ZodType<RegionFailover> = z.strictObject({ from: text.optional(), to: text.optional() });

export const localitySettings: z.ZodType<LocalitySettings> = z.strictObject({
  enabled: z.boolean().optional(),
  distribute: z.array(shares).optional(),
  failover: z.array(regionFailover).optional(),
  failoverPriority: textList.optional(),
});

export function checkLocalitySettings(
  { distribute = [], failover = [], failoverPriority = [] }: LocalitySettings,
  { path, detectsOutliers }: BalancerScope,
  reporter: Reporter,
): void {
  if (distribute.length > 0 && failover.length > 0) {
    const message = "distribute spreads requests over localities, failover keeps them near; both at once cannot be";
    reporter.error({ code: "conflicting-fields", path: [...path, "failover"], message, hint: "Keep one of the two." });
  }
  for (const [index, entry] of distribute.entries()) checkShares(entry, [...path, "distribute", index], reporter);
  checkLocalities(
    distribute.map(({ from = "" }, index) => ({ locality: from, path: [...path, "distribute", index, "from"] })),
    reporter,
  );
  for (const [index, entry] of failover.entries()) checkFailover(entry, [...path, "failover", index], reporter);
  if (failover.length > 0) checkTopologyLabels(failoverPriority, [...path, "failoverPriority"], reporter);
  if (detectsOutliers || (failover.length === 0 && failoverPriority.length === 0)) return;
  const field = failover.length > 0 ? "failover" : "failoverPriority";
  const message = `${field} has no effect without outlierDetection: nothing would tell that endpoints fail`;
  const hint = "Add outlierDetection to the same policy.";
  reporter.warning({ code: "ineffective-field", path: [...path, field], message, hint });
}

function checkShares({ to = {} }: LocalityShares, path: FieldPath, reporter: Reporter): void {
  const at = [...path, "to"];
  const total = Object.values(to).reduce((sum, share) => sum + share, 0);
  if (total !== 100) {
    reporter.error({ code: "invalid-weights", path: at, message: `the shares add up to ${total}, not to 100` });
  }
  checkLocalities(
    Object.keys(to).map((locality) => ({ locality, path: [...at, locality] })),
    reporter,
  );
}

interface PlacedLocality {
  readonly locality: string;
  readonly path: FieldPath;
}

/** Each a locality whose last part may be `*`, none inside another: which of two that overlap is meant would depend on their order. */
function checkLocalities(localities: readonly PlacedLocality[], reporter: Reporter): void {
  for (const [index, { locality, path }] of localities.entries()) {
    if (!isLocalityPattern(locality)) {
      const message = `${quote(locality)} is not a locality`;
      const hint = 'Write "region", "region/zone" or "region/zone/subzone"; the last part may be "*".';
      reporter.error({ code: "invalid-locality", path, message, hint });
      continue;
    }
    const other = localities.slice(0, index).find((earlier) => overlaps(earlier.locality, locality));
    if (other === undefined) continue;
    const message = `${quote(locality)} overlaps ${quote(other.locality)}`;
    reporter.error({ code: "invalid-locality", path, message, hint: "Each locality may be covered once." });
  }
}

/** `region/zone/subzone`, shorter or with a `*` at the end. */
function isLocalityPattern(locality: string): boolean {
  return /^(?:\*|[^*/]+(?:\/[^*/]+){0,2}|[^*/]+(?:\/[^*/]+)?\/\*)$/.test(locality);
}

function overlaps(one: string, other: string): boolean {
  const [a, b] = [withoutWildcard(one), withoutWildcard(other)];
  return a === b || a === "" || b === "" || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/** `us/*` covers what `us` covers, `*` everything. */
function withoutWildcard(locality: string): string {
  return locality.replace(/\/?\*$/, "");
}

function checkFailover({ from = "", to = "" }: RegionFailover, path: FieldPath, reporter: Reporter): void {
  for (const [field, region] of [
    ["from", from],
    ["to", to],
  ] as const) {
    if (region !== "" && !/[*/]/.test(region)) continue;
    const message = region === "" ? `${field} is missing` : `${quote(region)} is not a region`;
    const hint = "Failover is from region to region: write the first part of the locality only.";
    reporter.error({ code: "invalid-locality", path: [...path, field], message, hint });
  }
  if (from !== to || from === "") return;
  const message = `failover from ${quote(from)} to itself`;
  reporter.error({ code: "invalid-locality", path: [...path, "to"], message, hint: "Name another region." });
}

const topologyLabels = [
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "topology.istio.io/subzone",
] as const;

function checkTopologyLabels(entries: readonly string[], path: FieldPath, reporter: Reporter): void {
  for (const [index, entry] of entries.entries()) {
    if (!topologyLabels.some((label) => label === entry)) continue;
    const message = `failover between regions and the label ${quote(entry)} say the same twice`;
    reporter.error({ code: "conflicting-fields", path: [...path, index], message, hint: "Keep one of the two." });
  }
}
