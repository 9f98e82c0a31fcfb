// etcd's key-value requests as this store uses them: texts for keys and values where the wire has base64, numbers where it has strings.
import type { CallOptions, Called, EtcdClient } from "./client.ts";

export interface KeyValue {
  readonly key: string;
  readonly value: Buffer;
  readonly modRevision: number;
}

export interface Range {
  readonly key: string;
  /** All keys from `key` up to this one, without it; missing: only `key`. */
  readonly end?: string;
  readonly limit?: number;
}

export type Compare = { readonly key: string; readonly equals: string | null } | { readonly exists: string };

export type Operation =
  | { readonly put: string; readonly value: string | Buffer; readonly leaseId?: string }
  /** The key stays when the lease it was written under ends. */
  | { readonly keep: string }
  | { readonly range: Range }
  | { readonly delete: Range };

export interface Transaction {
  readonly compare?: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure?: readonly Operation[];
}

export interface TransactionResult {
  readonly isDone: boolean;
  readonly attempts: number;
  /** Of the cluster, right after it. */
  readonly revision: number;
  /** What the operations read, by their place; empty for those that write. */
  readonly read: readonly (readonly KeyValue[])[];
}

interface WireKeyValue {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision?: string;
}
interface WireRange {
  readonly header: { readonly revision?: string };
  readonly kvs?: readonly WireKeyValue[];
}
interface WireTransaction {
  readonly header: { readonly revision?: string };
  readonly succeeded?: boolean;
  readonly responses?: readonly { readonly response_range?: WireRange }[];
}

export async function transact(
  client: EtcdClient,
  { compare = [], success, failure = [] }: Transaction,
  options: CallOptions,
): Promise<TransactionResult> {
  const body = {
    compare: compare.map(toCompare),
    success: success.map(toOperation),
    failure: failure.map(toOperation),
  };
  const { reply, attempts }: Called<WireTransaction> = await client.call("/v3/kv/txn", body, options);
  return {
    isDone: reply.succeeded ?? false,
    attempts,
    revision: Number(reply.header.revision ?? 0),
    read: (reply.responses ?? []).map(({ response_range: range }) => (range?.kvs ?? []).map(toKeyValue)),
  };
}

/** @param revision reads what was there then */
export async function readRange(
  client: EtcdClient,
  range: Range & { readonly revision?: number },
  options: CallOptions,
): Promise<readonly KeyValue[]> {
  const revision = range.revision === undefined ? {} : { revision: String(range.revision) };
  const { reply } = await client.call<WireRange>("/v3/kv/range", { ...toRange(range), ...revision }, options);
  return (reply.kvs ?? []).map(toKeyValue);
}

/** @returns the lease's id */
export async function grantLease(client: EtcdClient, seconds: number, options: CallOptions): Promise<string> {
  const { reply } = await client.call<{ readonly ID: string }>("/v3/lease/grant", { TTL: String(seconds) }, options);
  return reply.ID;
}

/** The end of the range of all keys with a prefix. */
export function afterPrefix(prefix: string): string {
  // Keys here are ASCII below 0x7f, and prefixes end with "/".
  return prefix.slice(0, -1) + String.fromCodePoint((prefix.codePointAt(prefix.length - 1) ?? 0) + 1);
}

export function base64(text: string | Buffer): string {
  return Buffer.from(text as string).toString("base64");
}

function toCompare(compare: Compare): object {
  if ("exists" in compare) {
    return { key: base64(compare.exists), target: "CREATE", result: "GREATER", create_revision: "0" };
  }
  const key = base64(compare.key);
  // A key that is not there equals no value.
  if (compare.equals === null) return { key, target: "CREATE", result: "EQUAL", create_revision: "0" };
  return { key, target: "VALUE", result: "EQUAL", value: base64(compare.equals) };
}

function toOperation(operation: Operation): object {
  if ("range" in operation) return { request_range: toRange(operation.range) };
  if ("delete" in operation) return { request_delete_range: toRange(operation.delete) };
  if ("keep" in operation) return { request_put: { key: base64(operation.keep), ignore_value: true } };
  const { put, value, leaseId } = operation;
  const lease = leaseId === undefined ? {} : { lease: leaseId };
  return { request_put: { key: base64(put), value: base64(value), ...lease } };
}

function toRange({ key, end, limit }: Range): object {
  return {
    key: base64(key),
    ...(end === undefined ? {} : { range_end: base64(end) }),
    ...(limit === undefined ? {} : { limit: String(limit) }),
  };
}

function toKeyValue({ key, value = "", mod_revision: modRevision = "0" }: WireKeyValue): KeyValue {
  return {
    key: Buffer.from(key, "base64").toString("utf8"),
    value: Buffer.from(value, "base64"),
    modRevision: Number(modRevision),
  };
}
