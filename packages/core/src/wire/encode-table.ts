// Takes a table apart into resources, each encoded and digested alone, so that a push carries only what changed.
import type { Table } from "../model/index.ts";
import type { Codec } from "./codec.ts";
import { digestOf, manifestVersion, sortManifest, virtualHostKey } from "./manifest.ts";
import type { ManifestEntry, ResourceType } from "./manifest.ts";
import { packPlain } from "./message-pack.ts";
import { clusterCodec, listenerCodec, routeConfigCodec, secretCodec, virtualHostCodec } from "./resource-codecs.ts";

export interface EncodedTable {
  /** 16 hex characters, the digest of the manifest. */
  readonly version: string;
  readonly manifest: readonly ManifestEntry[];
  /** Bytes by digest. */
  readonly resources: ReadonlyMap<string, Uint8Array>;
}

/** Bytes of objects that were encoded before. They are never changed, so their bytes are theirs for as long as they are around. */
export class EncodeMemory {
  readonly #known = new WeakMap<object, EncodedResource>();

  encode<Type extends object>(resource: Type, codec: Codec<Type>): EncodedResource {
    let known = this.#known.get(resource);
    if (known === undefined) {
      // A copy: what the packer returns is a part of a buffer that many share, and one of them would keep all of it alive.
      const bytes = new Uint8Array(packPlain(codec.encode(resource)));
      known = { bytes, digest: digestOf(bytes) };
      this.#known.set(resource, known);
    }
    return known;
  }
}

interface EncodedResource {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/**
 * Encodes a table. The same table gives the same bytes, digests and version in every process.
 * Private keys are in the bytes in clear: they go to edges and to the edge's own disk, never to a log.
 *
 * @param memory of earlier calls: objects that were in those tables are not encoded again
 * @throws WireError `duplicate-name`
 */
export function encodeTable(table: Table, memory = new EncodeMemory()): EncodedTable {
  const encoder = new ResourceEncoder(memory);
  for (const listener of table.listeners)
    encoder.add("listener", listener, { name: listener.name, codec: listenerCodec });
  for (const routeConfig of table.routeConfigs) {
    const virtualHosts = routeConfig.virtualHosts.map((virtualHost) => virtualHost.name);
    encoder.add("route-config", { ...routeConfig, virtualHosts }, { name: routeConfig.name, codec: routeConfigCodec });
    for (const virtualHost of routeConfig.virtualHosts) {
      const name = virtualHostKey(routeConfig.name, virtualHost.name);
      encoder.add("virtual-host", virtualHost, { name, codec: virtualHostCodec });
    }
  }
  for (const cluster of table.clusters) encoder.add("cluster", cluster, { name: cluster.name, codec: clusterCodec });
  for (const secret of table.secrets) encoder.add("secret", secret, { name: secret.name, codec: secretCodec });
  return encoder.finish();
}

class ResourceEncoder {
  readonly #manifest: ManifestEntry[] = [];
  readonly #resources = new Map<string, Uint8Array>();
  readonly #memory: EncodeMemory;

  constructor(memory: EncodeMemory) {
    this.#memory = memory;
  }

  add<Type extends object>(
    type: ResourceType,
    resource: Type,
    { name, codec }: { readonly name: string; readonly codec: Codec<Type> },
  ): void {
    const { bytes, digest } = this.#memory.encode(resource, codec);
    this.#manifest.push({ type, name, digest });
    this.#resources.set(digest, bytes);
  }

  finish(): EncodedTable {
    const manifest = sortManifest(this.#manifest);
    return { version: manifestVersion(manifest), manifest, resources: this.#resources };
  }
}
