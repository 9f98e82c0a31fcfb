// From one HTTP match of a VirtualService to the predicates of a route (istio-semantics 2.5, TranslateRouteMatch).
import type {
  HeaderMatch,
  HttpMatchRequest,
  PathMatch,
  QueryParamMatch,
  RouteMatch,
  StringMatch,
  ValueMatch,
} from "../model/index.ts";
import { compareText } from "./order.ts";

/** Keys of `headers` that have fields of their own; Istio ignores them. */
const fieldNames = new Set(["uri", "scheme", "method", "authority"]);

/** The predicates of a match; without one, every path. */
export function buildRouteMatch(match: HttpMatchRequest | null): RouteMatch {
  return {
    path: buildPathMatch(match),
    headers: match === null ? [] : buildHeaderMatches(match),
    queryParams: buildQueryParamMatches(match?.queryParams ?? {}),
  };
}

/** True when every request matches, so that no later route of the same VirtualService can be reached. */
export function isCatchAll({ path, headers, queryParams }: RouteMatch): boolean {
  const isEveryPath = path.kind === "prefix" ? path.value === "/" : path.kind === "regex" && path.value === ".*";
  return isEveryPath && headers.length === 0 && queryParams.length === 0;
}

function buildPathMatch(match: HttpMatchRequest | null): PathMatch {
  const ignoreCase = match?.ignoreUriCase === true;
  const { exact, prefix, regex } = match?.uri ?? {};
  if (exact !== undefined) return { kind: "exact", value: exact, ignoreCase };
  if (prefix !== undefined) return { kind: "prefix", value: prefix, ignoreCase };
  // `ignoreUriCase` says nothing about regexes: they have `(?i)`.
  if (regex !== undefined) return { kind: "regex", value: regex, ignoreCase: false };
  return { kind: "prefix", value: "/", ignoreCase: false };
}

function buildHeaderMatches(match: HttpMatchRequest): readonly HeaderMatch[] {
  const headers = [...namedHeaders(match.headers ?? {}, false), ...namedHeaders(match.withoutHeaders ?? {}, true)];
  headers.sort((a, b) => compareText(a.name, b.name));
  const pseudoHeaders = [
    [":method", match.method],
    [":authority", match.authority],
    [":scheme", match.scheme],
  ] as const;
  for (const [name, value] of pseudoHeaders) {
    if (value !== undefined) headers.push({ name, ...buildValueMatch(value), invert: false });
  }
  return headers;
}

function namedHeaders(headers: Readonly<Record<string, StringMatch>>, invert: boolean): HeaderMatch[] {
  return Object.entries(headers)
    .filter(([name]) => !fieldNames.has(name))
    .map(([name, value]) => ({ name: name.toLowerCase(), ...buildValueMatch(value), invert }));
}

function buildQueryParamMatches(params: Readonly<Record<string, StringMatch>>): readonly QueryParamMatch[] {
  return Object.entries(params)
    .map(([name, value]) => ({ name, ...buildValueMatch(value) }))
    .toSorted((a, b) => compareText(a.name, b.name));
}

/** An empty match asks that the value is there. */
export function buildValueMatch({ exact, prefix, regex }: StringMatch): ValueMatch {
  if (exact !== undefined) return { kind: "exact", value: exact };
  if (prefix !== undefined) return { kind: "prefix", value: prefix };
  // `*` is no regex: Istio reads it as "the header is there".
  if (regex !== undefined && regex !== "*") return { kind: "regex", value: regex };
  return { kind: "present", value: "" };
}
