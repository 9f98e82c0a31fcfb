// What a push would do to the table, in words that operators know: listeners, hosts with their routes, clusters, secrets.
//
// The manifests say which resources differ, so only virtual hosts that did change are decoded, however large the tables are.
import { decodeVirtualHost, type EncodedTable, type ManifestEntry, type ResourceType } from "@sluice/core/wire";
import type { ChangeKind } from "../store/resource-store.ts";
import { describeRoutes, type RouteText } from "./route-text.ts";

/** More are counted, not listed. */
const maxEntries = 500;

export interface NamedDifference {
  readonly change: ChangeKind;
  readonly name: string;
}

export interface HostDifference extends NamedDifference {
  readonly routeConfig: string;
  readonly domains: readonly string[];
  /** In order; a route that changed is removed and added. A line whose text is in both differs in what it does not show. */
  readonly routes: readonly { readonly change: "added" | "removed"; readonly route: string }[];
}

export interface Difference {
  readonly listeners: readonly NamedDifference[];
  readonly hosts: readonly HostDifference[];
  readonly clusters: readonly NamedDifference[];
  readonly secrets: readonly NamedDifference[];
  /** How many were left out of the lists. */
  readonly omitted: number;
}

/** From the table that runs, null for none, to another. */
export function compareTables(from: EncodedTable | null, to: EncodedTable): Difference {
  const former = index(from?.manifest ?? []);
  const latter = index(to.manifest);
  const changed = (type: ResourceType): Changed[] => changedEntries(former, latter, type);
  const byType = {
    listeners: changed("listener"),
    hosts: changed("virtual-host"),
    clusters: changed("cluster"),
    secrets: changed("secret"),
  };
  const lists = Object.values(byType);
  return {
    listeners: byType.listeners.slice(0, maxEntries).map(toNamed),
    hosts: byType.hosts.slice(0, maxEntries).map((host) => compareHosts(host, from, to)),
    clusters: byType.clusters.slice(0, maxEntries).map(toNamed),
    secrets: byType.secrets.slice(0, maxEntries).map(toNamed),
    omitted: lists.reduce((sum, list) => sum + Math.max(0, list.length - maxEntries), 0),
  };
}

/** How many of each differ: from the manifests alone. */
export function countDifferences(from: EncodedTable | null, to: EncodedTable) {
  const former = index(from?.manifest ?? []);
  const latter = index(to.manifest);
  const count = (type: ResourceType) => changedEntries(former, latter, type).length;
  return {
    listeners: count("listener"),
    hosts: count("virtual-host"),
    clusters: count("cluster"),
    secrets: count("secret"),
  };
}

interface Changed extends NamedDifference {
  readonly former: string | null;
  readonly latter: string | null;
}

function index(manifest: readonly ManifestEntry[]): ReadonlyMap<string, ManifestEntry> {
  return new Map(manifest.map((entry) => [`${entry.type} ${entry.name}`, entry]));
}

function changedEntries(
  former: ReadonlyMap<string, ManifestEntry>,
  latter: ReadonlyMap<string, ManifestEntry>,
  type: ResourceType,
): Changed[] {
  const changes: Changed[] = [];
  for (const [key, { name, digest, type: itsType }] of latter) {
    if (itsType !== type) continue;
    const before = former.get(key)?.digest ?? null;
    if (before !== digest) {
      changes.push({ change: before === null ? "added" : "changed", name, former: before, latter: digest });
    }
  }
  for (const [key, { name, digest, type: itsType }] of former) {
    if (itsType === type && !latter.has(key)) changes.push({ change: "removed", name, former: digest, latter: null });
  }
  return changes.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

function toNamed({ change, name }: NamedDifference): NamedDifference {
  return { change, name };
}

function compareHosts(host: Changed, from: EncodedTable | null, to: EncodedTable): HostDifference {
  const before = readHost(from, host.former);
  const after = readHost(to, host.latter);
  const slash = host.name.indexOf("/");
  return {
    change: host.change,
    name: host.name.slice(slash + 1),
    routeConfig: host.name.slice(0, slash),
    domains: after?.domains ?? before?.domains ?? [],
    routes: compareRoutes(before?.routes ?? [], after?.routes ?? []),
  };
}

function readHost(table: EncodedTable | null, digest: string | null) {
  const bytes = digest === null ? undefined : table?.resources.get(digest);
  if (bytes === undefined) return null;
  const virtualHost = decodeVirtualHost(bytes);
  return { domains: virtualHost.domains, routes: describeRoutes(virtualHost) };
}

/** Common ends are left out: what is between them is what was edited, and order matters there. */
function compareRoutes(before: readonly RouteText[], after: readonly RouteText[]): HostDifference["routes"] {
  const isSame = (left: RouteText | undefined, right: RouteText | undefined) => left?.detail === right?.detail;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && isSame(before[start], after[start])) start++;
  let end = 0;
  while (end < shorter - start && isSame(before.at(-1 - end), after.at(-1 - end))) end++;
  const lines = (routes: readonly RouteText[], change: "added" | "removed") =>
    routes.slice(start, routes.length - end).map(({ text }) => ({ change, route: text }));
  return [...lines(before, "removed"), ...lines(after, "added")].slice(0, maxEntries);
}
