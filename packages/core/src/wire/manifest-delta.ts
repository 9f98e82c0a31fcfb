// What changes from one manifest to the next: at ten thousand hosts the list of all resources is a megabyte, and a push of one route
// would be nothing else.
import { compareKeys, type ManifestEntry, type ResourceKey, sortManifest } from "./manifest.ts";

export interface ManifestDelta {
  /** Resources that are new or have other bytes. */
  readonly put: readonly ManifestEntry[];
  /** Resources that are gone. */
  readonly remove: readonly ResourceKey[];
}

/** What leads from `base` to `next`. Both sorted, as `encodeTable` and `patchManifest` return them. */
export function diffManifests(base: readonly ManifestEntry[], next: readonly ManifestEntry[]): ManifestDelta {
  const put: ManifestEntry[] = [];
  const remove: ResourceKey[] = [];
  let left = 0;
  for (const entry of next) {
    let former = base[left];
    while (former !== undefined && compareKeys(former, entry) < 0) {
      remove.push({ type: former.type, name: former.name });
      former = base[++left];
    }
    if (former !== undefined && compareKeys(former, entry) === 0) {
      left++;
      if (former.digest !== entry.digest) put.push(entry);
    } else put.push(entry);
  }
  for (const { type, name } of base.slice(left)) remove.push({ type, name });
  return { put, remove };
}

/**
 * The manifest after the delta, sorted. Removing what is not there is no error here: the caller compares the version.
 *
 * @param base sorted
 * @throws WireError `duplicate-name`
 */
export function patchManifest(base: readonly ManifestEntry[], delta: ManifestDelta): readonly ManifestEntry[] {
  const put = sortManifest(delta.put);
  if (base.length === 0) return put;
  const gone = new Set(delta.remove.map(({ type, name }) => `${type} ${name}`));
  const isGone = (entry: ResourceKey) => gone.size > 0 && gone.has(`${entry.type} ${entry.name}`);
  const patched: ManifestEntry[] = [];
  let right = 0;
  for (const former of base) {
    let entry = put[right];
    while (entry !== undefined && compareKeys(entry, former) < 0) {
      patched.push(entry);
      entry = put[++right];
    }
    // A put of the same key comes with the next turn of the loop above, in this place.
    const isReplaced = entry !== undefined && compareKeys(entry, former) === 0;
    if (!isReplaced && !isGone(former)) patched.push(former);
  }
  patched.push(...put.slice(right));
  return patched;
}
