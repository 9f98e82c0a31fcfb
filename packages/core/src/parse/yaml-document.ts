// A resource document, with the way back to its YAML nodes: they are only looked at when a diagnostic needs a place.
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type Node, type Pair, type YAMLMap } from "yaml";
import type { FieldPath, Kind, Place, SourceDocument } from "../model/index.ts";
import type { PieceContent, ValueSite } from "./piece-content.ts";
import { isMergeKey } from "./plain-value.ts";
import { toCamelCase } from "./spelling.ts";
import type { YamlTree } from "./yaml-reader.ts";

/** What names a resource. */
export interface Identity {
  readonly kind: Kind;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
}

export class YamlDocument implements SourceDocument {
  readonly kind: Kind;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly name: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly #place: PlacedValue;

  constructor(identity: Identity, value: Readonly<Record<string, unknown>>, place: PlacedValue) {
    this.kind = identity.kind;
    this.apiVersion = identity.apiVersion;
    this.namespace = identity.namespace;
    this.name = identity.name;
    this.value = value;
    this.#place = place;
  }

  locate(path: FieldPath): Place {
    return this.#place.locate(path);
  }
}

/** Where a value of a piece stands in its file. */
export class PlacedValue {
  readonly #site: ValueSite;
  readonly #origin: Origin;
  /** Of the value itself, which is asked for in every compilation. */
  readonly #start: Place;

  /** @param startOffset of the value in its piece */
  constructor(site: ValueSite, origin: Origin, startOffset: number) {
    this.#site = site;
    this.#origin = origin;
    this.#start = placeOf(site.content, origin, startOffset);
  }

  locate(path: FieldPath): Place {
    if (path.length === 0) return this.#start;
    const { content, index, path: root } = this.#site;
    const tree = content.treeAt(index);
    const own = tree === null ? null : subtree(tree, root);
    return own === null ? this.#start : placeOf(content, this.#origin, offsetAt(own, path));
  }
}

/** Where a piece stands. */
export interface Origin {
  readonly file: string;
  readonly linesBefore: number;
}

/** The place of an offset of a piece. */
export function placeOf(content: PieceContent, { file, linesBefore }: Origin, offset: number): Place {
  const { line, column } = content.positionAt(offset);
  return { file, line: linesBefore + line, column };
}

/**
 * The offset of a field: of its key in a map, of the entry in a list. The nearest enclosing field that exists when it is absent.
 * A camelCase step also finds the snake_case spelling of the same field.
 */
export function offsetAt(tree: YamlTree, path: FieldPath): number {
  let node: unknown = tree.root;
  let offset = tree.root.range[0];
  for (const step of path) {
    const target = resolveAlias(node, tree.document);
    const found = isMap(target)
      ? findInMap(target, step, tree.document)
      : isSeq(target)
        ? target.items[Number(step)]
        : null;
    if (found === null || found === undefined) break;
    offset = offsetOf(isPair(found) ? found.key : found) ?? offset;
    node = isPair(found) ? found.value : found;
  }
  return offset;
}

/** The node of one entry of a `List`, as a tree of its own. */
export function subtree(tree: YamlTree, path: FieldPath): YamlTree | null {
  let node: unknown = tree.root;
  for (const step of path) {
    const target = resolveAlias(node, tree.document);
    if (isMap(target)) node = findInMap(target, step, tree.document)?.value;
    else node = isSeq(target) ? target.items[Number(step)] : null;
  }
  const root = resolveAlias(node, tree.document);
  return isMap(root) || isSeq(root) || isScalar(root) ? { ...tree, root: root as YamlTree["root"] } : null;
}

function findInMap(map: YAMLMap, step: string | number, document: Document.Parsed): Pair | null {
  const name = String(step);
  let respelled: Pair | null = null;
  for (const pair of map.items) {
    const key = keyText(pair.key);
    if (key === name) return pair;
    if (respelled === null && key.includes("_") && toCamelCase(key) === name) respelled = pair;
  }
  return respelled ?? findMerged(map, step, document);
}

function findMerged(map: YAMLMap, step: string | number, document: Document.Parsed): Pair | null {
  for (const pair of map.items) {
    if (!isMergeKey(pair.key)) continue;
    const value = resolveAlias(pair.value, document);
    const sources: unknown[] = isSeq(value) ? value.items : [value];
    for (const source of sources) {
      const target = resolveAlias(source, document);
      const found = isMap(target) ? findInMap(target, step, document) : null;
      if (found !== null) return found;
    }
  }
  return null;
}

function keyText(key: unknown): string {
  if (!isScalar(key)) return "";
  return typeof key.value === "string" ? key.value : (key.source ?? String(key.value));
}

function resolveAlias(node: unknown, document: Document.Parsed): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null)?.range?.[0];
}
