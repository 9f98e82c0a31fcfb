// Where things lie in etcd, and the small values among them. Pure.
//
//   <prefix>/latest                        which version is the latest: the only key that commits compete for
//   <prefix>/versions/<number>             a version: what it put and deleted; large ones in chunks
//   <prefix>/checkpoint                    everything at some version, with the history, in chunks; versions long before it are deleted
//   <prefix>/chunks/versions/<number>/...  and <prefix>/chunks/checkpoints/<number>/...
import type { VersionEntry } from "../store-state.ts";
import { afterPrefix } from "./kv.ts";

/** Raised when a reader of the other format would misunderstand. */
const format = 1;
const numberDigits = 12;

/** A version has an id beside its number: after a time-out it tells whether the version of that number is one's own. */
export interface VersionName {
  readonly number: number;
  readonly id: string;
}

/** Something large: compressed, in chunks, written before the transaction that makes it visible. */
export interface ChunksReference {
  readonly id: string;
  readonly chunks: number;
  /** Of the compressed bytes. */
  readonly sha256: string;
}

export interface VersionValue extends VersionName {
  /** The id of the version before it; null for the first. Versions of another history (a restored backup) do not fit ours. */
  readonly previous: string | null;
  readonly content: { readonly entry: VersionEntry } | { readonly chunks: ChunksReference };
}

export interface CheckpointValue extends VersionName {
  readonly chunks: ChunksReference;
}

export type ChunkKind = "versions" | "checkpoints";

/** A value is not what this release writes. */
export class StrangeValue extends Error {}

export class Layout {
  readonly latest: string;
  readonly checkpoint: string;
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.latest = `${prefix}/latest`;
    this.checkpoint = `${prefix}/checkpoint`;
  }

  version(number: number): string {
    return `${this.#prefix}/versions/${padded(number)}`;
  }

  versionsFrom(number: number) {
    return { key: this.version(number), end: afterPrefix(`${this.#prefix}/versions/`) };
  }

  versionsBefore(number: number) {
    return { key: `${this.#prefix}/versions/`, end: this.version(number) };
  }

  chunk(kind: ChunkKind, number: number, place: string): string {
    return `${this.#prefix}/chunks/${kind}/${padded(number)}/${place}`;
  }

  chunksBefore(kind: ChunkKind, number: number) {
    return { key: `${this.#prefix}/chunks/${kind}/`, end: `${this.#prefix}/chunks/${kind}/${padded(number)}/` };
  }
}

export function encodeValue(value: object): string {
  return JSON.stringify({ format, ...value });
}

/** @throws StrangeValue */
export function decodeValue(key: string, bytes: Buffer): object {
  let value: { readonly format?: unknown };
  try {
    value = JSON.parse(bytes.toString("utf8")) as typeof value;
  } catch {
    throw new StrangeValue(`${key} in etcd is no value of Sluice's; is the prefix used by something else?`);
  }
  if (value.format === format) return value;
  throw new StrangeValue(`${key} in etcd has format ${String(value.format)}, this release is for format ${format}`);
}

/** Their order as keys is their order as numbers. */
function padded(number: number): string {
  return String(number).padStart(numberDigits, "0");
}
