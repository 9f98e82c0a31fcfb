// The list of what a table consists of. Its digest is the table's version.
import { createHash } from "node:crypto";

import { WireError } from "./wire-error.ts";

export const resourceTypes = ["listener", "route-config", "virtual-host", "cluster", "secret"] as const;

export type ResourceType = (typeof resourceTypes)[number];

/** Names a resource. */
export interface ResourceKey {
  readonly type: ResourceType;
  /** Unique within the type. A virtual host is `routeConfig/virtualHost`. */
  readonly name: string;
}

/** One resource of a table: `digest` names its bytes. */
export interface ManifestEntry extends ResourceKey {
  readonly digest: string;
}

/** 32 hex characters of SHA-256: 128 bits, against accidents and against a crafted twin of a known resource. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 32);
}

/** The version of the table that a manifest lists: 16 hex characters, the same whatever order the entries come in. */
export function manifestVersion(manifest: readonly ManifestEntry[]): string {
  const hash = createHash("sha256");
  for (const { type, name, digest } of sortManifest(manifest)) hash.update(`${JSON.stringify([type, name, digest])}\n`);
  return hash.digest("hex").slice(0, 16);
}

/** Sorts by type, in dependency order, then by name, and refuses the same name twice. */
export function sortManifest(manifest: readonly ManifestEntry[]): readonly ManifestEntry[] {
  const sorted = manifest.toSorted(compareKeys);
  for (let i = 1; i < sorted.length; i++) {
    const [previous, entry] = [sorted[i - 1], sorted[i]];
    if (previous === undefined || entry === undefined || compareKeys(previous, entry) !== 0) continue;
    throw new WireError("duplicate-name", `two resources are called ${entry.type} ${entry.name}`);
  }
  return sorted;
}

export function virtualHostKey(routeConfig: string, virtualHost: string): string {
  return `${routeConfig}/${virtualHost}`;
}

/** The order of manifests. By code unit, never by locale: the order must be the same on every machine. */
export function compareKeys(left: ResourceKey, right: ResourceKey): number {
  if (left.type !== right.type) return resourceTypes.indexOf(left.type) - resourceTypes.indexOf(right.type);
  if (left.name === right.name) return 0;
  return left.name < right.name ? -1 : 1;
}
