// `List` kinds: one document that holds several resources, as `kubectl get -o yaml` prints them.
import type { FieldPath } from "../model/index.ts";
import { isRecord } from "./finding.ts";
import type { InheritedType } from "./identify.ts";

/** One resource of a document: the whole document, or an entry of its `items`. */
export interface ListEntry {
  readonly value: unknown;
  readonly path: FieldPath;
  readonly inherited?: InheritedType;
}

/** The resources of a document in order; lists inside lists are expanded too. */
export function* expandList(entry: ListEntry): Generator<ListEntry> {
  const { value, path } = entry;
  if (!isList(value)) {
    yield entry;
    return;
  }
  const items = value["items"];
  if (!Array.isArray(items)) return;
  // The API server leaves kind and apiVersion out of the entries of a typed list, `GatewayList`.
  const itemKind = String(value["kind"]).slice(0, -"List".length);
  const inherited = itemKind === "" ? undefined : { kind: itemKind, apiVersion: value["apiVersion"] };
  for (const [index, item] of items.entries()) {
    const next = { value: item as unknown, path: [...path, "items", index] };
    yield* expandList(inherited === undefined ? next : { ...next, inherited });
  }
}

function isList(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isRecord(value) || typeof value["kind"] !== "string" || !value["kind"].endsWith("List")) return false;
  const items = value["items"];
  return Array.isArray(items) || (value["kind"] === "List" && (items === undefined || items === null));
}
