// A table as the primary keeps it: encoded, with the decoded view that bindings, status and dumps need.
import type { Table } from "@sluice/core/model";
import { type DecodedTable, decodeTable, type ManifestEntry } from "@sluice/core/wire";

export interface TableBytes {
  readonly version: string;
  readonly manifest: readonly ManifestEntry[];
  /** Exactly the resources of the manifest, by digest. */
  readonly resources: ReadonlyMap<string, Uint8Array>;
  readonly decoded: DecodedTable;
}

export function tableOf(bytes: TableBytes): Table {
  return bytes.decoded.table;
}

/** What a table is made from: its manifest and the resources that the former table lacks. */
export interface TableOffer {
  readonly version: string;
  readonly manifest: readonly ManifestEntry[];
  readonly resources: readonly (readonly [digest: string, bytes: Uint8Array])[];
}

/** Completes an offer with what is already here. Throws `WireError` when something is missing, damaged or of the wrong shape. */
export function acceptOffer(offer: TableOffer, previous: TableBytes | null): TableBytes {
  const offered = new Map(offer.resources);
  const resources = new Map<string, Uint8Array>();
  for (const { digest } of offer.manifest) {
    const bytes = offered.get(digest) ?? previous?.resources.get(digest);
    if (bytes !== undefined) resources.set(digest, bytes);
  }
  const decoded = decodeTable(offer.manifest, (digest) => resources.get(digest), previous?.decoded);
  return { version: offer.version, manifest: offer.manifest, resources, decoded };
}

/** The resources of `table` that `base` does not hold; all of them without a base. */
export function resourcesBeyond(table: TableBytes, base: TableBytes | null): (readonly [string, Uint8Array])[] {
  return [...table.resources].filter(([digest]) => base === null || !base.resources.has(digest));
}
