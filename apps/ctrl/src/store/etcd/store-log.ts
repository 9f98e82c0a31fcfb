// The versions in etcd: one transaction appends one, comparing which is the latest; one reads what came since.
import type { StateImage, VersionEntry } from "../store-state.ts";
import { imageFromText, imageToText } from "../plain-image.ts";
import { StoreLimit, StoreUnavailable } from "../resource-store.ts";
import { type ChunksParts, mostChunks, readChunks, uploadChunks, type Uploaded } from "./chunks.ts";
import type { CallOptions, EtcdClient } from "./client.ts";
import { type KeyValue, readRange, transact } from "./kv.ts";
import {
  type CheckpointValue,
  decodeValue,
  encodeValue,
  Layout,
  StrangeValue,
  type VersionName,
  type VersionValue,
} from "./layout.ts";

/** A longer version goes into chunks. */
const maxInlineBytes = 64 * 1024;
const pageSize = 64;
/** Versions before a checkpoint that stay: a ctrl that was away for less catches up without reading everything again. */
const keptBeforeCheckpoint = 64;

export interface Appended extends VersionName {
  /** The latest version on which it was made; null for the first. */
  readonly previous: VersionName | null;
  readonly entry: VersionEntry;
}

/** What there is, all of one moment. */
export interface LogPage {
  readonly latest: VersionName | null;
  readonly checkpoint: CheckpointValue | null;
  /** In order, a page full at most. */
  readonly versions: readonly VersionValue[];
  readonly revision: number;
}

const nothingUploaded: Omit<Uploaded, "reference"> = { compare: [], keep: [] };

export class StoreLog {
  readonly #client: EtcdClient;
  readonly #layout: Layout;
  readonly #parts: ChunksParts;

  constructor(client: EtcdClient, { prefix, maxChunks = mostChunks }: { prefix: string; maxChunks?: number }) {
    this.#client = client;
    this.#layout = new Layout(prefix);
    this.#parts = { client, layout: this.#layout, maxChunks };
  }

  /** The key that changes with every version. */
  get watchedKey(): string {
    return this.#layout.latest;
  }

  /** What a quorum agrees is the latest version, and the revision that made it so. */
  async readLatest(options: CallOptions): Promise<(VersionName & { readonly revision: number }) | null> {
    const [found] = await readRange(this.#client, { key: this.#layout.latest }, options);
    return found === undefined ? null : { ...toName(found), revision: found.modRevision };
  }

  /** Everything needed to go on from a version. */
  async readAfter(number: number, options: CallOptions): Promise<LogPage> {
    const { latest, checkpoint } = this.#layout;
    const range = { ...this.#layout.versionsFrom(number + 1), limit: pageSize };
    const success = [{ range: { key: latest } }, { range: { key: checkpoint } }, { range }];
    const { read, revision } = await transact(this.#client, { success }, options);
    const [[head], [saved], versions = []] = [read[0] ?? [], read[1] ?? [], read[2]];
    return {
      latest: head === undefined ? null : toName(head),
      checkpoint: saved === undefined ? null : (decodeValue(saved.key, saved.value) as CheckpointValue),
      versions: versions.map(({ key, value }) => decodeValue(key, value) as VersionValue),
      revision,
    };
  }

  /**
   * Makes the entry the latest version, unless another came first. Attempts that got no answer are made again: as each names the version it
   * follows, one of them at most is carried out, however late.
   *
   * @throws StoreLimit; EtcdUnreachable and StoreUnavailable when nobody knows
   */
  async append({ previous, entry, ...name }: Appended, options: CallOptions): Promise<"written" | "stale"> {
    const { latest } = this.#layout;
    const key = this.#layout.version(name.number);
    const { content, uploaded } = await this.#contentOf(entry, options);
    const value: VersionValue = { ...name, previous: previous?.id ?? null, content };
    const expected = previous === null ? null : encodeName(previous);
    const { isDone, read, attempts } = await transact(
      this.#client,
      {
        compare: [{ key: latest, equals: expected }, ...uploaded.compare],
        success: [{ put: latest, value: encodeName(name) }, { put: key, value: encodeValue(value) }, ...uploaded.keep],
        failure: [{ range: { key: latest } }, { range: { key } }],
      },
      options,
    );
    if (isDone) return "written";
    const [[head], [written]] = [read[0] ?? [], read[1] ?? []];
    if (written !== undefined && (decodeValue(key, written.value) as VersionValue).id === name.id) return "written";
    if ((head?.value.toString("utf8") ?? null) === expected) {
      throw new StoreUnavailable("etcd was too slow for so large a version; nothing was written");
    }
    if (written === undefined && attempts > 1) throw new StoreUnavailable(unknownOutcome(name.number));
    return "stale";
  }

  /** What a version did. */
  async entryOf({ number, content }: VersionValue, revision: number, options: CallOptions): Promise<VersionEntry> {
    if ("entry" in content) return content.entry;
    const place = { kind: "versions", number, reference: content.chunks, revision } as const;
    return JSON.parse(await readChunks(this.#parts, place, options)) as VersionEntry;
  }

  async imageOf({ number, chunks }: CheckpointValue, revision: number, options: CallOptions): Promise<StateImage> {
    const place = { kind: "checkpoints", number, reference: chunks, revision } as const;
    return imageFromText(await readChunks(this.#parts, place, options));
  }

  /**
   * Saves everything at a version, so that the versions long before it can go. Another ctrl may do the same: the later version stays.
   *
   * @returns the number of the checkpoint that is there now
   */
  async saveCheckpoint(image: StateImage, id: string, options: CallOptions): Promise<number> {
    const { number } = image.snapshot;
    const key = this.#layout.checkpoint;
    const [saved] = await readRange(this.#client, { key }, options);
    const present = saved === undefined ? 0 : (decodeValue(key, saved.value) as CheckpointValue).number;
    if (present >= number) return present;
    const { reference, compare, keep } = await this.#uploadImage(image, options);
    const value: CheckpointValue = { number, id, chunks: reference };
    const goneBefore = Math.max(0, number - keptBeforeCheckpoint);
    const { isDone } = await transact(
      this.#client,
      {
        compare: [{ key, equals: saved?.value.toString("utf8") ?? null }, ...compare],
        success: [
          { put: key, value: encodeValue(value) },
          ...keep,
          { delete: this.#layout.versionsBefore(goneBefore) },
          { delete: this.#layout.chunksBefore("versions", goneBefore) },
          { delete: this.#layout.chunksBefore("checkpoints", number) },
        ],
      },
      options,
    );
    return isDone ? number : present;
  }

  async #contentOf(entry: VersionEntry, options: CallOptions) {
    const text = JSON.stringify(entry);
    if (Buffer.byteLength(text) <= maxInlineBytes) return { content: { entry }, uploaded: nothingUploaded };
    const place = { kind: "versions", number: entry.number, text } as const;
    const uploaded = await uploadChunks(this.#parts, place, options);
    return { content: { chunks: uploaded.reference }, uploaded };
  }

  /** A history too large for etcd is shortened until it fits: what is stored now matters more. */
  async #uploadImage({ snapshot, history }: StateImage, options: CallOptions): Promise<Uploaded> {
    for (let kept = history; ; kept = kept.slice(Math.ceil(kept.length / 2))) {
      try {
        const text = imageToText({ snapshot, history: kept });
        return await uploadChunks(this.#parts, { kind: "checkpoints", number: snapshot.number, text }, options);
      } catch (error) {
        // A text longer than a string can be is a RangeError.
        const isTooLarge = error instanceof StoreLimit || error instanceof RangeError;
        if (!isTooLarge || kept.length === 0) throw error;
      }
    }
  }
}

export function unknownOutcome(number: number): string {
  return `whether version ${number} was written is not known; look at the versions before you push again`;
}

function encodeName({ number, id }: VersionName): string {
  return encodeValue({ number, id });
}

function toName({ key, value }: KeyValue): VersionName {
  const { number, id } = decodeValue(key, value) as VersionName;
  if (!Number.isSafeInteger(number) || typeof id !== "string") throw new StrangeValue(`${key} in etcd is damaged`);
  return { number, id };
}
