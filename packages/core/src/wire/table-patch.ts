// Makes the next table out of the one before it and what changed. Nothing of the former table is touched, so that a change can be
// prepared beside the live table and dropped; what did not change keeps its object, so that `===` tells what did.
import type { RouteConfig, Table, VirtualHost } from "../model/index.ts";
import type { Codec } from "./codec.ts";
import { digestOf, type ManifestEntry, type ResourceKey, type ResourceType, virtualHostKey } from "./manifest.ts";
import { unpackPlain } from "./message-pack-reader.ts";
import { clusterCodec, listenerCodec, routeConfigCodec, secretCodec, virtualHostCodec } from "./resource-codecs.ts";
import type { RouteConfigHead } from "./resource-codecs.ts";
import { WireError } from "./wire-error.ts";

/** The decoded object of a resource, and what it was decoded from. */
interface Part<Type> {
  readonly digest: string;
  readonly value: Type;
}

interface PartTypes {
  readonly listener: Table["listeners"][number];
  readonly "route-config": RouteConfigHead;
  readonly "virtual-host": VirtualHost;
  readonly cluster: Table["clusters"][number];
  readonly secret: Table["secrets"][number];
}

type Parts = { readonly [Type in ResourceType]: ReadonlyMap<string, Part<PartTypes[Type]>> };
type PartsUnderWay = { [Type in ResourceType]: ReadonlyMap<string, Part<PartTypes[Type]>> };

/** A table as decoded, with what the next one can reuse. */
export interface DecodedTable {
  readonly version: string;
  readonly table: Table;
  /** By type and name. */
  readonly parts: Parts;
}

const codecs: { readonly [Type in ResourceType]: Codec<PartTypes[Type]> } = {
  listener: listenerCodec,
  "route-config": routeConfigCodec,
  "virtual-host": virtualHostCodec,
  cluster: clusterCodec,
  secret: secretCodec,
};

const noParts: Parts = {
  listener: new Map(),
  "route-config": new Map(),
  "virtual-host": new Map(),
  cluster: new Map(),
  secret: new Map(),
};
const noTable: Table = { listeners: [], routeConfigs: [], clusters: [], secrets: [] };

export class TablePatch {
  readonly #base: Table;
  readonly #parts: PartsUnderWay;
  readonly #changed = new Set<ResourceType>();
  /** By type and digest: two route configs may hold the same virtual host. */
  readonly #decoded = new Map<string, unknown>();

  /** @param previous the table to start from; null: an empty one */
  constructor(previous: DecodedTable | null) {
    this.#base = previous?.table ?? noTable;
    this.#parts = { ...(previous?.parts ?? noParts) };
  }

  /** True when this resource is here already, with these bytes. */
  holds({ type, name, digest }: ManifestEntry): boolean {
    return this.#parts[type].get(name)?.digest === digest;
  }

  /**
   * Decodes a resource and puts it into the table. `bytes` must be those of the digest: see `requireDigest`.
   * @throws WireError
   */
  put(entry: ManifestEntry, bytes: Uint8Array): void {
    const key = `${entry.type} ${entry.digest}`;
    let value = this.#decoded.get(key);
    if (value === undefined) this.#decoded.set(key, (value = decode(entry, bytes)));
    // What a type's own codec returned, under a key that holds the type.
    this.#writable(entry.type).set(entry.name, { digest: entry.digest, value: value as never });
  }

  remove({ type, name }: ResourceKey): void {
    if (this.#parts[type].has(name)) this.#writable(type).delete(name);
  }

  /**
   * The table as patched.
   * @throws WireError `wrong-shape`, `dangling-reference`
   */
  finish(version: string): DecodedTable {
    const isRouted = this.#changed.has("route-config") || this.#changed.has("virtual-host");
    const table: Table = {
      listeners: this.#list("listener", this.#base.listeners),
      routeConfigs: isRouted ? this.#joinRouteConfigs() : this.#base.routeConfigs,
      clusters: this.#list("cluster", this.#base.clusters),
      secrets: this.#list("secret", this.#base.secrets),
    };
    return { version, table, parts: this.#parts };
  }

  /** The first change of a type copies its map: the former table keeps its own. */
  #writable<Type extends ResourceType>(type: Type): Map<string, Part<PartTypes[Type]>> {
    if (!this.#changed.has(type)) {
      this.#changed.add(type);
      (this.#parts as Record<ResourceType, unknown>)[type] = new Map(this.#parts[type] as ReadonlyMap<string, unknown>);
    }
    return this.#parts[type] as Map<string, Part<PartTypes[Type]>>;
  }

  /** Every resource of a type, sorted by name. */
  #list<Type extends "listener" | "cluster" | "secret">(
    type: Type,
    before: readonly PartTypes[Type][],
  ): readonly PartTypes[Type][] {
    if (!this.#changed.has(type)) return before;
    const parts: ReadonlyMap<string, Part<PartTypes[Type]>> = this.#parts[type];
    return sortedNames(parts, before).map((name) => partOf(parts, name).value);
  }

  #joinRouteConfigs(): readonly RouteConfig[] {
    const heads = this.#parts["route-config"];
    const known = new Map(this.#base.routeConfigs.map((routeConfig) => [routeConfig.name, routeConfig]));
    let taken = 0;
    const joined = sortedNames(heads, this.#base.routeConfigs).map((name) => {
      const routeConfig = this.#join(partOf(heads, name).value);
      taken += routeConfig.virtualHosts.length;
      const before = known.get(name);
      return before !== undefined && isSameRouteConfig(before, routeConfig) ? before : routeConfig;
    });
    if (taken !== this.#parts["virtual-host"].size)
      throw new WireError("dangling-reference", "the manifest lists virtual hosts that no route config names");
    return joined;
  }

  #join(head: RouteConfigHead): RouteConfig {
    const virtualHosts = keysOf(head).map((key, index) => {
      const virtualHost = this.#parts["virtual-host"].get(key)?.value;
      const name = head.virtualHosts[index];
      if (virtualHost !== undefined && virtualHost.name === name) return virtualHost;
      const problem = `route-config ${head.name} names virtual host ${name}, which is not in the manifest`;
      throw new WireError("dangling-reference", problem);
    });
    return { name: head.name, port: head.port, legacyName: head.legacyName, virtualHosts };
  }
}

/** @throws WireError `digest-mismatch`: bytes from outside are believed only after this */
export function requireDigest(entry: ManifestEntry, bytes: Uint8Array): void {
  if (digestOf(bytes) !== entry.digest)
    throw new WireError("digest-mismatch", `${describe(entry)} has other bytes than its digest`);
}

export function describe({ type, name }: ResourceKey): string {
  return `${type} ${name}`;
}

function decode(entry: ManifestEntry, bytes: Uint8Array): PartTypes[ResourceType] {
  try {
    const value = codecs[entry.type].decode(unpackPlain(bytes));
    // The name of a virtual host is checked when its route config takes it.
    if (entry.type === "virtual-host" || value.name === entry.name) return value;
    throw new WireError("wrong-shape", `calls itself ${value.name}`);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new WireError(error.reason, `${describe(entry)}: ${error.message}`);
  }
}

/** Names in order. Those of the list before are in order already: sorting the whole anew would cost more than all the rest. */
function sortedNames(parts: ReadonlyMap<string, unknown>, before: readonly { readonly name: string }[]): string[] {
  const names: string[] = [];
  for (const { name } of before) if (parts.has(name)) names.push(name);
  if (names.length === parts.size) return names;
  const kept = new Set(names);
  for (const name of parts.keys()) if (!kept.has(name)) names.push(name);
  // By code unit, as manifests are. Two sorted runs: what the sorting algorithm is best at.
  return names.toSorted((left, right) => (left < right ? -1 : 1));
}

function partOf<Type>(parts: ReadonlyMap<string, Part<Type>>, name: string): Part<Type> {
  const part = parts.get(name);
  if (part === undefined) throw new WireError("missing-resource", `${name} is not at hand`);
  return part;
}

/** The keys of a head's virtual hosts, made once for each head: at ten thousand hosts making them is most of a join. */
const keys = new WeakMap<RouteConfigHead, readonly string[]>();

function keysOf(head: RouteConfigHead): readonly string[] {
  let known = keys.get(head);
  if (known === undefined) {
    known = head.virtualHosts.map((name) => virtualHostKey(head.name, name));
    keys.set(head, known);
  }
  return known;
}

function isSameRouteConfig(left: RouteConfig, right: RouteConfig): boolean {
  if (left.port !== right.port || left.legacyName !== right.legacyName) return false;
  if (left.virtualHosts.length !== right.virtualHosts.length) return false;
  return left.virtualHosts.every((virtualHost, index) => virtualHost === right.virtualHosts[index]);
}
