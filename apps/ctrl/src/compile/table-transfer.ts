// A table on its way from a compile thread: what is different from the table before, its bytes in one buffer, moved instead of copied.
import {
  diffManifests,
  type EncodedTable,
  type ManifestDelta,
  type ManifestEntry,
  patchManifest,
} from "@sluice/core/wire";

export interface PackedTable extends ManifestDelta {
  readonly version: string;
  /** Version of the table that this changes; null: none, everything is in here. */
  readonly base: string | null;
  /** Digest and length of each resource, in the order in which they lie in `bytes`. */
  readonly lengths: readonly (readonly [digest: string, length: number])[];
  readonly bytes: ArrayBuffer;
}

/** @param base what the receiver holds */
export function packTable(table: EncodedTable, base: EncodedTable | null = null): PackedTable {
  const { put, remove } = diffManifests(base?.manifest ?? [], table.manifest);
  const fresh = new Map<string, Uint8Array>();
  for (const { digest } of put) {
    const resource = table.resources.get(digest);
    if (resource !== undefined && base?.resources.has(digest) !== true) fresh.set(digest, resource);
  }
  const lengths = [...fresh].map(([digest, { length }]) => [digest, length] as const);
  const bytes = new Uint8Array(lengths.reduce((sum, [, length]) => sum + length, 0));
  let offset = 0;
  for (const resource of fresh.values()) {
    bytes.set(resource, offset);
    offset += resource.length;
  }
  return { version: table.version, base: base?.version ?? null, put, remove, lengths, bytes: bytes.buffer };
}

/** @param held what the receiver holds: the base, where there is one */
export function unpackTable(packed: PackedTable, held: EncodedTable | null = null): EncodedTable {
  const { version, put, remove, lengths, bytes } = packed;
  const base = packed.base === null ? null : held;
  const fresh = new Map<string, Uint8Array>();
  let offset = 0;
  for (const [digest, length] of lengths) {
    // Copies: one resource that never changes would keep the buffer of its whole first table.
    fresh.set(digest, new Uint8Array(bytes.slice(offset, offset + length)));
    offset += length;
  }
  const manifest = patchManifest(base?.manifest ?? [], { put, remove });
  return { version, manifest, resources: pick(manifest, (digest) => fresh.get(digest) ?? base?.resources.get(digest)) };
}

/** Only the secrets of a table, copied: what a compile thread needs of the running one. */
export function packSecrets({ version, manifest, resources }: EncodedTable): PackedTable {
  const secrets = manifest.filter(({ type }) => type === "secret");
  return packTable({ version, manifest: secrets, resources: pick(secrets, (digest) => resources.get(digest)) });
}

function pick(
  manifest: readonly ManifestEntry[],
  get: (digest: string) => Uint8Array | undefined,
): ReadonlyMap<string, Uint8Array> {
  const resources = new Map<string, Uint8Array>();
  for (const { digest } of manifest) {
    const bytes = get(digest);
    if (bytes !== undefined) resources.set(digest, bytes);
  }
  return resources;
}
