// Puts a table together from resources, checking each, and keeps the objects of resources that did not change.
import type { RouteConfig, Table, VirtualHost } from "../model/index.ts";
import type { Codec } from "./codec.ts";
import { digestOf, manifestVersion, sortManifest, virtualHostKey } from "./manifest.ts";
import type { ManifestEntry, ResourceType } from "./manifest.ts";
import { unpackPlain } from "./message-pack.ts";
import { clusterCodec, listenerCodec, routeConfigCodec, secretCodec, virtualHostCodec } from "./resource-codecs.ts";
import type { RouteConfigHead } from "./resource-codecs.ts";
import { WireError } from "./wire-error.ts";

/** A table as decoded, with what the next decoding can reuse. */
export interface DecodedTable {
  readonly version: string;
  readonly table: Table;
  /** Decoded objects by type and digest. */
  readonly objects: ReadonlyMap<string, unknown>;
}

/** The bytes of a digest; undefined when they are not at hand. */
export type ResourceSource = (digest: string) => Uint8Array | undefined;

/**
 * Decodes and checks the table that `manifest` lists. All or nothing: on any doubt it throws and the caller keeps its live table.
 *
 * @param get asked only for what `previous` does not hold
 * @param previous the last decoded table: every resource with an unchanged digest keeps its object, so `===` tells what changed
 * @throws WireError
 */
export function decodeTable(
  manifest: readonly ManifestEntry[],
  get: ResourceSource,
  previous?: DecodedTable,
): DecodedTable {
  const reader = new ResourceReader(sortManifest(manifest), get, previous?.objects);
  const heads = reader.readAll("route-config", routeConfigCodec);
  const virtualHosts = reader.readVirtualHosts();
  const table: Table = {
    listeners: reader.readAll("listener", listenerCodec),
    routeConfigs: joinRouteConfigs(heads, virtualHosts, previous),
    clusters: reader.readAll("cluster", clusterCodec),
    secrets: reader.readAll("secret", secretCodec),
  };
  return { version: manifestVersion(manifest), table, objects: reader.objects };
}

class ResourceReader {
  readonly objects = new Map<string, unknown>();
  readonly #manifest: readonly ManifestEntry[];
  readonly #get: ResourceSource;
  readonly #previous: ReadonlyMap<string, unknown> | undefined;

  constructor(
    manifest: readonly ManifestEntry[],
    get: ResourceSource,
    previous: ReadonlyMap<string, unknown> | undefined,
  ) {
    this.#manifest = manifest;
    this.#get = get;
    this.#previous = previous;
  }

  /** Every resource of a type, sorted by name. */
  readAll<Type extends { readonly name: string }>(type: ResourceType, codec: Codec<Type>): readonly Type[] {
    return this.#entries(type).map((entry) => {
      const resource = this.#read(entry, codec);
      if (resource.name !== entry.name)
        throw new WireError("wrong-shape", `${describe(entry)} calls itself ${resource.name}`);
      return resource;
    });
  }

  /** Virtual hosts by their key. Their names are checked when their route config takes them. */
  readVirtualHosts(): ReadonlyMap<string, VirtualHost> {
    return new Map(this.#entries("virtual-host").map((entry) => [entry.name, this.#read(entry, virtualHostCodec)]));
  }

  #entries(type: ResourceType): readonly ManifestEntry[] {
    return this.#manifest.filter((entry) => entry.type === type);
  }

  #read<Type>(entry: ManifestEntry, codec: Codec<Type>): Type {
    const key = `${entry.type} ${entry.digest}`;
    const known = this.objects.get(key) ?? this.#previous?.get(key);
    // The key holds the type, and only this method fills the map, with what the type's own codec returned.
    const resource = known === undefined ? this.#decode(entry, codec) : (known as Type);
    this.objects.set(key, resource);
    return resource;
  }

  #decode<Type>(entry: ManifestEntry, codec: Codec<Type>): Type {
    const bytes = this.#get(entry.digest);
    if (bytes === undefined)
      throw new WireError("missing-resource", `${describe(entry)} (${entry.digest}) is not at hand`);
    if (digestOf(bytes) !== entry.digest)
      throw new WireError("digest-mismatch", `${describe(entry)} has other bytes than its digest`);
    try {
      return codec.decode(unpackPlain(bytes));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw new WireError(error.reason, `${describe(entry)}: ${error.message}`);
    }
  }
}

function joinRouteConfigs(
  heads: readonly RouteConfigHead[],
  virtualHosts: ReadonlyMap<string, VirtualHost>,
  previous: DecodedTable | undefined,
): readonly RouteConfig[] {
  const known = new Map(previous?.table.routeConfigs.map((routeConfig) => [routeConfig.name, routeConfig]));
  let taken = 0;
  const routeConfigs = heads.map((head) => {
    const joined = joinRouteConfig(head, virtualHosts);
    taken += joined.virtualHosts.length;
    const before = known.get(head.name);
    return before !== undefined && isSameRouteConfig(before, joined) ? before : joined;
  });
  if (taken !== virtualHosts.size) {
    throw new WireError("dangling-reference", "the manifest lists virtual hosts that no route config names");
  }
  return routeConfigs;
}

function joinRouteConfig(head: RouteConfigHead, virtualHosts: ReadonlyMap<string, VirtualHost>): RouteConfig {
  const joined = head.virtualHosts.map((name) => {
    const virtualHost = virtualHosts.get(virtualHostKey(head.name, name));
    if (virtualHost?.name === name) return virtualHost;
    throw new WireError(
      "dangling-reference",
      `route-config ${head.name} names virtual host ${name}, which is not in the manifest`,
    );
  });
  return { name: head.name, port: head.port, legacyName: head.legacyName, virtualHosts: joined };
}

function isSameRouteConfig(left: RouteConfig, right: RouteConfig): boolean {
  if (left.port !== right.port || left.legacyName !== right.legacyName) return false;
  if (left.virtualHosts.length !== right.virtualHosts.length) return false;
  return left.virtualHosts.every((virtualHost, index) => virtualHost === right.virtualHosts[index]);
}

function describe(entry: ManifestEntry): string {
  return `${entry.type} ${entry.name}`;
}
