// Puts a table together from resources, checking each, and keeps the objects of resources that did not change.
import { type ManifestEntry, manifestVersion, resourceTypes, sortManifest } from "./manifest.ts";
import type { ManifestDelta } from "./manifest-delta.ts";
import { type DecodedTable, describe, requireDigest, TablePatch } from "./table-patch.ts";
import { WireError } from "./wire-error.ts";

/** The bytes of a digest; undefined when they are not at hand. */
export type ResourceSource = (digest: string) => Uint8Array | undefined;

/**
 * Decodes and checks the table that `manifest` lists. All or nothing: on any doubt it throws and the caller keeps its live table.
 *
 * @param get asked only for what `previous` does not hold under the same name
 * @param previous the last decoded table: every resource with an unchanged digest keeps its object, so `===` tells what changed
 * @throws WireError
 */
export function decodeTable(
  manifest: readonly ManifestEntry[],
  get: ResourceSource,
  previous?: DecodedTable,
): DecodedTable {
  const sorted = sortManifest(manifest);
  const patch = new TablePatch(previous ?? null);
  if (previous !== undefined) removeUnlisted(patch, previous, sorted);
  for (const entry of sorted) if (!patch.holds(entry)) patch.put(entry, checkedBytes(entry, get));
  return patch.finish(manifestVersion(sorted));
}

/**
 * Decodes and checks the table that a delta makes of `previous`.
 *
 * @param version of the result; that it is the manifest's is the caller's to check
 * @throws WireError
 */
export function decodeDelta(
  previous: DecodedTable | null,
  { version, put, remove }: ManifestDelta & { readonly version: string },
  get: ResourceSource,
): DecodedTable {
  const patch = new TablePatch(previous);
  for (const key of remove) patch.remove(key);
  for (const entry of put) if (!patch.holds(entry)) patch.put(entry, checkedBytes(entry, get));
  return patch.finish(version);
}

function checkedBytes(entry: ManifestEntry, get: ResourceSource): Uint8Array {
  const bytes = get(entry.digest);
  if (bytes === undefined)
    throw new WireError("missing-resource", `${describe(entry)} (${entry.digest}) is not at hand`);
  requireDigest(entry, bytes);
  return bytes;
}

function removeUnlisted(patch: TablePatch, previous: DecodedTable, manifest: readonly ManifestEntry[]): void {
  const listed = new Set(manifest.map(describe));
  for (const type of resourceTypes) {
    for (const name of previous.parts[type].keys()) {
      if (!listed.has(describe({ type, name }))) patch.remove({ type, name });
    }
  }
}
