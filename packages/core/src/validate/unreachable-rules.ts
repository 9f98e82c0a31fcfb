// Rules and matches that nothing reaches, because an earlier one takes it all: the first match wins (istio-semantics 2.5).
import type { FieldPath, HttpMatchRequest, HttpRule, StringMatch, TcpRule, TlsRule } from "../model/index.ts";
import type { Reporter } from "./reporter.ts";

/** Warns of rules behind a catch-all, and of matches that an earlier one covers. The first catch-all ends the list. */
export function warnUnreachable(http: readonly HttpRule[], reporter: Reporter): void {
  const earlier = new CoveredMatches();
  let catchAll: FieldPath | null = null;
  for (const [ruleIndex, rule] of http.entries()) {
    const rulePath = ["spec", "http", ruleIndex];
    if (catchAll !== null) {
      warnBehind(rulePath, catchAll, reporter);
      continue;
    }
    const matches = rule.match ?? [];
    if (matches.length === 0) {
      // What the delegate's rules match is known to nobody here.
      if (rule.delegate === undefined) catchAll = rulePath;
      continue;
    }
    for (const [matchIndex, match] of matches.entries()) {
      const path = [...rulePath, "match", matchIndex];
      const covering = catchAll ?? earlier.covering(match);
      if (covering !== null) warnBehind(path, covering, reporter);
      if (rule.delegate !== undefined) continue;
      earlier.add(match, path);
      if (catchAll === null && isCatchAll(match)) catchAll = path;
    }
  }
}

/** The same for rules of raw connections, whose matches are only compared as a whole. */
export function warnUnreachableConnections(
  rules: readonly Pick<TlsRule | TcpRule, "match">[],
  path: FieldPath,
  reporter: Reporter,
): void {
  const seen = new Map<string, FieldPath>();
  let catchAll: FieldPath | null = null;
  for (const [ruleIndex, { match: matches = [] }] of rules.entries()) {
    const rulePath = [...path, ruleIndex];
    if (catchAll !== null) {
      warnBehind(rulePath, catchAll, reporter);
      continue;
    }
    if (matches.length === 0) catchAll = rulePath;
    for (const [matchIndex, match] of matches.entries()) {
      const at = [...rulePath, "match", matchIndex];
      const key = conditionKey(match);
      const earlier = seen.get(key);
      if (earlier === undefined) seen.set(key, at);
      else warnBehind(at, earlier, reporter);
    }
  }
}

function warnBehind(path: FieldPath, earlier: FieldPath, reporter: Reporter): void {
  const { line } = reporter.document.locate(earlier);
  const what = path[1] === "http" ? "request" : "connection";
  const message = `no ${what} gets here: the one on line ${line} takes them all, and the first match wins`;
  reporter.warning({ code: "unreachable-rule", path, message, hint: "Move it up, or make the earlier one narrower." });
}

/**
 * Matches seen so far, by their conditions other than the path. A look-up costs the length of the path, not the number of matches: there may
 * be thousands.
 */
class CoveredMatches {
  readonly #byPath = new Map<string, FieldPath>();
  readonly #byPrefix = new Map<string, FieldPath>();

  add(match: HttpMatchRequest, path: FieldPath): void {
    const { uri } = match;
    const rest = restKey(match);
    this.#remember(this.#byPath, rest + pathKey(uri), path);
    const prefix = prefixOf(uri);
    if (prefix !== null) this.#remember(this.#byPrefix, rest + prefix, path);
  }

  /** The earlier match that takes whatever this one could; null when there is none. */
  covering(match: HttpMatchRequest): FieldPath | null {
    const rest = restKey(match);
    const same = this.#byPath.get(rest + pathKey(match.uri));
    if (same !== undefined) return same;
    const text = match.uri?.exact ?? match.uri?.prefix ?? "";
    // Letter case decides about prefixes in ways that are not worth a warning.
    if (match.ignoreUriCase === true) return null;
    const unconditional = restKey({});
    for (let length = 0; length <= text.length; length++) {
      const prefix = text.slice(0, length);
      const found = this.#byPrefix.get(rest + prefix) ?? this.#byPrefix.get(unconditional + prefix);
      if (found !== undefined) return found;
    }
    return null;
  }

  #remember(map: Map<string, FieldPath>, key: string, path: FieldPath): void {
    if (!map.has(key)) map.set(key, path);
  }
}

/** The prefix that a path match takes all of; a match without one takes every path. */
function prefixOf(uri: StringMatch | undefined): string | null {
  if (uri === undefined) return "";
  return uri.prefix ?? null;
}

function pathKey(uri: StringMatch | undefined): string {
  return uri === undefined ? "" : conditionKey(uri);
}

/** Everything a match asks for but its path, in one spelling. Ends with a character that JSON holds no more of. */
function restKey(match: HttpMatchRequest): string {
  const { name: _, uri: __, ...rest } = match;
  return `${conditionKey(rest)}\n`;
}

/** Equal for conditions that mean the same: keys sorted, empty ones left out. */
function conditionKey(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** True when the match has no condition that a request could fail. */
function isCatchAll(match: HttpMatchRequest): boolean {
  const { uri, headers, withoutHeaders, queryParams } = match;
  if (uri !== undefined && uri.prefix !== "/" && uri.regex !== ".*") return false;
  if ([headers, withoutHeaders, queryParams].some((fields) => Object.keys(fields ?? {}).length > 0)) return false;
  if (match.port !== undefined || (match.gateways ?? []).length > 0) return false;
  if (Object.keys(match.sourceLabels ?? {}).length > 0 || (match.sourceNamespace ?? "") !== "") return false;
  return match.scheme === undefined && match.method === undefined && match.authority === undefined;
}
