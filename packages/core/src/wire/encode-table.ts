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

/**
 * Encodes a table. The same table gives the same bytes, digests and version in every process.
 * Private keys are in the bytes in clear: they go to edges and to the edge's own disk, never to a log.
 *
 * @throws WireError `duplicate-name`
 */
export function encodeTable(table: Table): EncodedTable {
  const encoder = new ResourceEncoder();
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

  add<Type>(
    type: ResourceType,
    resource: Type,
    { name, codec }: { readonly name: string; readonly codec: Codec<Type> },
  ): void {
    const bytes = packPlain(codec.encode(resource));
    const digest = digestOf(bytes);
    this.#manifest.push({ type, name, digest });
    this.#resources.set(digest, bytes);
  }

  finish(): EncodedTable {
    const manifest = sortManifest(this.#manifest);
    return { version: manifestVersion(manifest), manifest, resources: this.#resources };
  }
}
