// What is too large for one value: compressed and cut into chunks that one request can carry.
//
// They are written first, under a lease, and seen by nobody. The transaction that names them takes them off the lease, and is only carried out
// when all of them are there. A writer that dies before leaves nothing behind: the lease ends, and they with it.
import { createHash, randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { StoreLimit } from "../resource-store.ts";
import type { CallOptions, EtcdClient } from "./client.ts";
import { type Compare, grantLease, type Operation, readRange, transact } from "./kv.ts";
import { type ChunkKind, type ChunksReference, type Layout, StrangeValue } from "./layout.ts";

/** etcd takes requests of 1.5 MiB (`--max-request-bytes`). */
const chunkBytes = 1024 * 1024;
/** With what else is in a transaction below etcd's 128 operations (`--max-txn-ops`). */
export const mostChunks = 96;
/** Longer than any upload, short enough that nobody minds what a dead writer left. */
const leaseSeconds = 300;
/** Above what the limits on stored resources let in, histories included. */
const maxTextBytes = 512 * 1024 * 1024;

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/** Uploaded, and not yet visible. */
export interface Uploaded {
  readonly reference: ChunksReference;
  /** What the transaction that names it has to ask for, and to do. */
  readonly compare: readonly Compare[];
  readonly keep: readonly Operation[];
}

/** Where, and how many at most. */
export interface ChunksParts {
  readonly client: EtcdClient;
  readonly layout: Layout;
  readonly maxChunks: number;
}

export interface ChunksPlace {
  readonly kind: ChunkKind;
  /** Of the version they belong to. */
  readonly number: number;
}

/** @throws StoreLimit when it is too large for etcd */
export async function uploadChunks(
  { client, layout, maxChunks }: ChunksParts,
  { kind, number, text }: ChunksPlace & { readonly text: string },
  options: CallOptions,
): Promise<Uploaded> {
  const bytes = await compress(text);
  const chunks = Math.ceil(bytes.length / chunkBytes);
  if (chunks > maxChunks) {
    throw new StoreLimit(`version ${number} is larger than etcd takes: ${chunks} MiB compressed, at most ${maxChunks}`);
  }
  const id = randomUUID();
  const keys = Array.from({ length: chunks }, (_, index) => layout.chunk(kind, number, `${id}/${index}`));
  const leaseId = await grantLease(client, leaseSeconds, options);
  for (const [index, key] of keys.entries()) {
    const value = bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes);
    await transact(client, { success: [{ put: key, value, leaseId }] }, options);
  }
  return {
    reference: { id, chunks, sha256: sha256(bytes) },
    compare: keys.map((exists) => ({ exists })),
    keep: keys.map((keep) => ({ keep })),
  };
}

/**
 * @param revision at which they were named: they may be deleted while they are read
 * @throws EtcdError `isCompacted` when that is too long ago; StrangeValue when they are not what was written
 */
export async function readChunks(
  { client, layout }: ChunksParts,
  { kind, number, reference, revision }: ChunksPlace & { reference: ChunksReference; revision: number },
  options: CallOptions,
): Promise<string> {
  const parts: Buffer[] = [];
  for (let index = 0; index < Math.min(reference.chunks, mostChunks); index++) {
    const key = layout.chunk(kind, number, `${reference.id}/${index}`);
    const [found] = await readRange(client, { key, revision }, options);
    if (found === undefined) throw new StrangeValue(`${key} is missing in etcd`);
    parts.push(found.value);
  }
  const bytes = Buffer.concat(parts);
  if (sha256(bytes) !== reference.sha256) throw new StrangeValue(`the chunks of version ${number} are damaged in etcd`);
  return (await decompress(bytes, { maxOutputLength: maxTextBytes })).toString("utf8");
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
