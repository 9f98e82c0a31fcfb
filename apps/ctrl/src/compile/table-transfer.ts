// A table on its way from a compile thread: all bytes in one buffer, moved instead of copied.
import type { EncodedTable, ManifestEntry } from "@sluice/core/wire";

export interface PackedTable {
  readonly version: string;
  readonly manifest: readonly ManifestEntry[];
  /** Digest and length of each resource, in the order in which they lie in `bytes`. */
  readonly lengths: readonly (readonly [digest: string, length: number])[];
  readonly bytes: ArrayBuffer;
}

/** The resources are copied: what the encoder returns may lie in a buffer that it shares with others. */
export function packTable({ version, manifest, resources }: EncodedTable): PackedTable {
  const lengths = [...resources].map(([digest, { length }]) => [digest, length] as const);
  const bytes = new Uint8Array(lengths.reduce((sum, [, length]) => sum + length, 0));
  let offset = 0;
  for (const resource of resources.values()) {
    bytes.set(resource, offset);
    offset += resource.length;
  }
  return { version, manifest, lengths, bytes: bytes.buffer };
}

/** The resources are views into one buffer. */
export function unpackTable({ version, manifest, lengths, bytes }: PackedTable): EncodedTable {
  const resources = new Map<string, Uint8Array>();
  let offset = 0;
  for (const [digest, length] of lengths) {
    resources.set(digest, new Uint8Array(bytes, offset, length));
    offset += length;
  }
  return { version, manifest, resources };
}

/** Only the secrets of a table, copied: what a compile thread needs of the running one. */
export function packSecrets({ version, manifest, resources }: EncodedTable): PackedTable {
  const secrets = manifest.filter(({ type }) => type === "secret");
  const kept = new Map<string, Uint8Array>();
  for (const { digest } of secrets) {
    const bytes = resources.get(digest);
    if (bytes !== undefined) kept.set(digest, bytes);
  }
  return packTable({ version, manifest: secrets, resources: kept });
}
