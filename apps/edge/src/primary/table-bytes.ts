// A table as the primary keeps it: encoded, with the decoded view that bindings, status and dumps need.
import {
  type CommitMessage,
  type DecodedTable,
  decodeDelta,
  diffManifests,
  type EncodedTable,
  type ManifestDelta,
  type ManifestEntry,
  manifestVersion,
  patchManifest,
  WireError,
} from "@sluice/core/wire";

export interface TableBytes {
  readonly version: string;
  /** Sorted. */
  readonly manifest: readonly ManifestEntry[];
  /** Exactly the resources of the manifest, by digest. */
  readonly resources: ReadonlyMap<string, Uint8Array>;
  readonly decoded: DecodedTable;
}

/** What a table is made from: what changes, and the resources that the former table lacks. */
export type TableOffer = Omit<CommitMessage, "type">;

/** The offer makes no sense on what is served here: it says nothing about the table, only that the two ends have to begin anew. */
export class OfferMismatch extends Error {
  override readonly name = "OfferMismatch";
}

/**
 * Completes an offer with what is already here.
 *
 * @throws OfferMismatch when it builds on another version than the live one, or leaves out a resource that is not here
 * @throws WireError when something is damaged or of the wrong shape
 */
export function acceptOffer(offer: TableOffer, live: TableBytes | null): TableBytes {
  const { version } = offer;
  const delta = deltaToLive(offer, live);
  const manifest = patchManifest(live?.manifest ?? [], delta);
  if (manifestVersion(manifest) !== version)
    throw new OfferMismatch(`the delta from version ${offer.base ?? "none"} does not lead to version ${version}`);
  const resources = collectResources(offer, manifest, live);
  const decoded = decodeDelta(live?.decoded ?? null, { version, ...delta }, (digest) => resources.get(digest));
  return { version, manifest, resources, decoded };
}

function deltaToLive(offer: TableOffer, live: TableBytes | null): ManifestDelta {
  if (offer.base === null) {
    const whole = patchManifest([], offer);
    return live === null ? { put: whole, remove: [] } : diffManifests(live.manifest, whole);
  }
  if (offer.base === live?.version) return offer;
  throw new OfferMismatch(`the offer builds on version ${offer.base}; live is ${live?.version ?? "none"}`);
}

function collectResources(
  offer: TableOffer,
  manifest: readonly ManifestEntry[],
  live: TableBytes | null,
): ReadonlyMap<string, Uint8Array> {
  const offered = new Map(offer.resources);
  const resources = new Map<string, Uint8Array>();
  for (const { type, name, digest } of manifest) {
    const bytes = offered.get(digest) ?? live?.resources.get(digest);
    if (bytes === undefined) throw new OfferMismatch(`the offer lacks ${type} ${name}, and so does this edge`);
    resources.set(digest, bytes);
  }
  return resources;
}

/** The offer of a whole table, which builds on nothing. */
export function wholeOffer({ version, manifest, resources }: EncodedTable): TableOffer {
  return { version, base: null, put: manifest, remove: [], resources: [...resources] };
}

/** The bytes of what was put, entry by entry. */
export function bytesOf(table: TableBytes, put: readonly ManifestEntry[]): (readonly [ManifestEntry, Uint8Array])[] {
  return put.map((entry) => {
    const bytes = table.resources.get(entry.digest);
    if (bytes === undefined) throw new WireError("missing-resource", `${entry.type} ${entry.name} is not at hand`);
    return [entry, bytes];
  });
}
