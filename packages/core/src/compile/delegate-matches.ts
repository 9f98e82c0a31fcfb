// What a rule and a rule of its delegate match together (istio-semantics 2.5, delegates).
import { type HttpMatchRequest, type NamedMatches, resolveGatewayName, type StringMatch } from "../model/index.ts";

type Matches = readonly HttpMatchRequest[];

/**
 * Each match of the delegate's rule with each of the root's that it agrees with. Null when one of the delegate's has no place at all:
 * Istio then drops the rule, since it would take less than its owner wrote. `too-many` when there are more than `limit`.
 */
export function intersectMatches(root: Matches, delegate: Matches, limit = Infinity): Matches | null | "too-many" {
  if (root.length === 0) return delegate;
  if (delegate.length === 0) return root;
  const merged: HttpMatchRequest[] = [];
  for (const leaf of delegate) {
    const agreeing = root.filter((match) => !disagree(match, leaf));
    if (agreeing.length === 0) return null;
    if (merged.length + agreeing.length > limit) return "too-many";
    for (const match of agreeing) merged.push(mergeMatch(match, leaf));
  }
  return merged;
}

/** `root-delegate`; one of them where the other has no name. */
export function joinNames(root: string | undefined, delegate: string | undefined): string | undefined {
  const names = [root, delegate].filter((name) => name !== undefined && name !== "");
  return names.length === 0 ? undefined : names.join("-");
}

/** A match of a delegate that reads the same in another namespace. */
export function withFullNames(match: HttpMatchRequest, namespace: string): HttpMatchRequest {
  if (match.gateways === undefined) return match;
  return { ...match, gateways: match.gateways.map((name) => resolveGatewayName(name, namespace)) };
}

function mergeMatch(root: HttpMatchRequest, leaf: HttpMatchRequest): HttpMatchRequest {
  const hasGateways = leaf.gateways !== undefined && leaf.gateways.length > 0;
  return {
    ...root,
    ...withoutAbsent(leaf),
    name: joinNames(root.name, leaf.name),
    headers: { ...root.headers, ...leaf.headers },
    withoutHeaders: { ...root.withoutHeaders, ...leaf.withoutHeaders },
    queryParams: { ...root.queryParams, ...leaf.queryParams },
    sourceLabels: { ...root.sourceLabels, ...leaf.sourceLabels },
    gateways: hasGateways ? leaf.gateways : root.gateways,
  };
}

function withoutAbsent(match: HttpMatchRequest): HttpMatchRequest {
  return Object.fromEntries(Object.entries(match).filter(([, value]) => value !== undefined));
}

const textFields = ["uri", "scheme", "method", "authority"] as const;
const namedFields = ["headers", "queryParams"] as const;

/** True when the delegate's match asks for something that the root's does not hand on. */
function disagree(root: HttpMatchRequest, leaf: HttpMatchRequest): boolean {
  return (
    textFields.some((field) => leavesRange(root[field], leaf[field])) ||
    namedFields.some((field) => namedDisagree(root[field] ?? {}, leaf[field] ?? {})) ||
    refusalsDiffer(root.withoutHeaders ?? {}, leaf.withoutHeaders ?? {}) ||
    (root.ignoreUriCase === true) !== (leaf.ignoreUriCase === true) ||
    differ(root.port, leaf.port) ||
    differ(root.sourceNamespace, leaf.sourceNamespace) ||
    Object.entries(leaf.sourceLabels ?? {}).some(([label, value]) => differ(root.sourceLabels?.[label], value)) ||
    gatewaysDisagree(root.gateways ?? [], leaf.gateways ?? [])
  );
}

function namedDisagree(root: NamedMatches, leaf: NamedMatches): boolean {
  return Object.entries(leaf).some(([name, match]) => Object.hasOwn(root, name) && leavesRange(root[name], match));
}

/** What the root refuses the delegate may refuse too, but in its place nothing else: that could be less. */
function refusalsDiffer(root: NamedMatches, leaf: NamedMatches): boolean {
  return Object.entries(leaf).some(([name, { exact, prefix, regex }]) => {
    const other = root[name];
    return other !== undefined && (other.exact !== exact || other.prefix !== prefix || other.regex !== regex);
  });
}

/** Absent and 0 (protobuf's absent) ask for nothing. */
function differ<Value extends string | number>(root: Value | undefined, leaf: Value | undefined): boolean {
  const isAbsent = root === undefined || leaf === undefined || root === 0 || leaf === 0 || root === "" || leaf === "";
  return !isAbsent && root !== leaf;
}

/** True where both name Gateways, and the delegate one that the root does not. */
function gatewaysDisagree(root: readonly string[], leaf: readonly string[]): boolean {
  return root.length > 0 && leaf.some((name) => !root.includes(name));
}

/**
 * True when not everything that the delegate's text match takes is also taken by the root's. Two regular expressions cannot be
 * compared, nor one with a text, so a regular expression agrees with nothing, not even itself.
 */
function leavesRange(root: StringMatch | undefined, leaf: StringMatch | undefined): boolean {
  if (root === undefined || leaf === undefined) return false;
  if (root.regex !== undefined || leaf.regex !== undefined) return true;
  if (root.exact !== undefined) return leaf.exact !== root.exact;
  if (root.prefix !== undefined) return !(leaf.exact ?? leaf.prefix ?? "").startsWith(root.prefix);
  // The root only asks that it is there, which whatever the delegate asks for implies.
  return false;
}
