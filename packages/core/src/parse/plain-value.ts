// From a YAML node tree to plain data. Expands aliases and merge keys within limits, refuses what plain data cannot hold safely,
// and reports every problem of the document, not only the first.
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, Scalar, type YAMLMap, type YAMLSeq } from "yaml";
import type { FieldPath } from "../model/index.ts";
import type { ParseCode } from "./codes.ts";
import { isRecord, quote } from "./finding.ts";
import { maxAliasedValues, maxDepth, maxProblems } from "./limits.ts";

export interface ValueProblem {
  readonly code: ParseCode;
  readonly message: string;
  readonly hint?: string;
  readonly offset: number;
  readonly path: FieldPath;
}

/** A value and what it costs to expand it once more. */
interface Sized {
  readonly value: unknown;
  /** Values inside, itself included, aliases expanded. */
  readonly count: number;
  /** Levels of lists and maps inside. */
  readonly depth: number;
}

const nothing: Sized = { value: null, count: 1, depth: 0 };

/** Reads one document. The value is only to be used when there are no problems. */
export function readPlainValue(root: Node): { value: unknown; problems: readonly ValueProblem[] } {
  const reader = new PlainValueReader();
  const { value } = reader.read(root);
  return { value, problems: reader.problems };
}

class PlainValueReader {
  readonly problems: ValueProblem[] = [];
  readonly #path: (string | number)[] = [];
  /** Null while the anchored node itself is being read: an alias inside it would make it infinite. */
  readonly #anchors = new Map<string, Sized | null>();
  #aliasedCount = 0;

  read(node: unknown): Sized {
    if (isAlias(node)) return this.#readAlias(node.source, node);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return nothing;
    const { anchor } = node;
    if (anchor !== undefined) this.#anchors.set(anchor, null);
    const sized = isScalar(node) ? this.#readScalar(node) : isMap(node) ? this.#readMap(node) : this.#readSeq(node);
    if (anchor !== undefined) this.#anchors.set(anchor, sized);
    return sized;
  }

  #readScalar(node: Scalar): Sized {
    const { value } = node;
    if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      return { value, count: 1, depth: 0 };
    }
    this.#report("wrong-type", "this kind of value cannot be used in a resource", node);
    return nothing;
  }

  #readSeq(node: YAMLSeq): Sized {
    const value: unknown[] = [];
    let count = 1;
    let depth = 0;
    for (const [index, item] of node.items.entries()) {
      this.#path.push(index);
      const entry = this.read(item);
      this.#path.pop();
      value.push(entry.value);
      count += entry.count;
      depth = Math.max(depth, entry.depth);
    }
    return { value, count, depth: depth + 1 };
  }

  #readMap(node: YAMLMap): Sized {
    const value: Record<string, unknown> = {};
    const merged: Record<string, unknown>[] = [];
    let count = 1;
    let depth = 0;
    for (const pair of node.items) {
      const key = this.#readKey(pair, node);
      if (key === null) continue;
      this.#path.push(key);
      const entry = this.read(pair.value);
      if (isMergeKey(pair.key)) this.#addMergeSources(merged, entry.value, pair.key);
      else if (Object.hasOwn(value, key)) this.#reportDuplicate(key, pair.key);
      else value[key] = entry.value;
      this.#path.pop();
      count += entry.count;
      depth = Math.max(depth, entry.depth);
    }
    // A key of the map itself wins over a merged one, an earlier merged map over a later.
    for (const source of merged) {
      for (const [key, entry] of Object.entries(source)) if (!Object.hasOwn(value, key)) value[key] = entry;
    }
    return { value, count, depth: depth + 1 };
  }

  #readKey(pair: Pair, map: YAMLMap): string | null {
    const key = pair.key;
    const scalar = isAlias(key) ? this.#readAlias(key.source, key).value : isScalar(key) ? key.value : undefined;
    if (typeof scalar === "string" && scalar !== "__proto__") return scalar;
    if (typeof scalar === "number" || typeof scalar === "boolean") {
      return isScalar(key) && key.source !== undefined ? key.source : String(scalar);
    }
    // `__proto__` as a key changes what every lookup in the object answers as soon as any code copies it by assignment.
    const message = scalar === "__proto__" ? 'the key "__proto__" is not allowed' : "a key must be a plain text";
    this.#report("invalid-key", message, isScalar(key) ? key : map);
    return null;
  }

  #readAlias(name: string, node: Node): Sized {
    const target = this.#anchors.get(name);
    if (target === undefined || target === null) {
      const message =
        target === null ? "an alias stands inside the value it names" : "an alias (`*name`) names no anchor above it";
      // The name is not quoted: a password that starts with `*` and lacks its quotes ends up here.
      this.#report("invalid-alias", message, node, 'If a text is meant, put it in quotes: "*.example.com".');
      return nothing;
    }
    this.#aliasedCount += target.count;
    const isTooDeep = this.#path.length + target.depth > maxDepth;
    if (this.#aliasedCount <= maxAliasedValues && !isTooDeep) return target;
    if (isTooDeep) this.#report("nesting-too-deep", `aliases nest lists and maps more than ${maxDepth} deep`, node);
    // Reported once: the same document would repeat it for every further alias.
    else if (this.#aliasedCount - target.count <= maxAliasedValues) {
      this.#report("too-many-aliases", `aliases stand for more than ${maxAliasedValues} values`, node);
    }
    return nothing;
  }

  #addMergeSources(merged: Record<string, unknown>[], value: unknown, key: Node): void {
    const sources: unknown[] = Array.isArray(value) ? value : [value];
    for (const source of sources) {
      if (isRecord(source)) merged.push(source);
      else this.#report("invalid-merge-key", "`<<` takes a map or a list of maps", key);
    }
  }

  #reportDuplicate(key: string, node: unknown): void {
    const hint = "Only one of the two can be meant: remove the other.";
    if (isScalar(node)) this.#report("duplicate-key", `the key ${quote(key)} is already in this map`, node, hint);
  }

  #report(code: ParseCode, message: string, node: Node, hint?: string): void {
    if (this.problems.length >= maxProblems) return;
    const offset = node.range?.[0] ?? 0;
    this.problems.push({ code, message, ...(hint === undefined ? {} : { hint }), offset, path: [...this.#path] });
  }
}

export function isMergeKey(key: unknown): key is Scalar<"<<"> {
  return isScalar(key) && key.value === "<<" && key.type === Scalar.PLAIN;
}
