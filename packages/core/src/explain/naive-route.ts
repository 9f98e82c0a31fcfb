// The naive reading of routes: one after the other, every predicate in words. Slow and obvious on purpose: the compiled matcher is tested
// against it, so nothing here may be shared with it.
import { RE2JS } from "re2js";

import type { MatchRequest } from "../match/match-request.ts";
import type { HeaderMatch, PathMatch, QueryParamMatch, Route, ValueMatch, VirtualHost } from "../model/index.ts";
import type { Diary } from "./diary.ts";
import { quote } from "./quote.ts";

/** Index of the first route that matches, or -1. Tells the diary why each earlier one does not. */
export function readRoute(virtualHost: VirtualHost, request: MatchRequest, diary: Diary | null): number {
  for (const [index, route] of virtualHost.routes.entries()) {
    const reason = rejectRoute(route, request);
    if (reason === null) {
      diary?.matched("route", describeRoute(route, index), describeMatch(route));
      return index;
    }
    diary?.rejected("route", describeRoute(route, index), reason);
  }
  return -1;
}

/** A route that was passed over although the path is right, or nearly: what an operator meant, more often than not. */
export interface NearMiss {
  readonly index: number;
  readonly reason: string;
}

/** The near misses among the routes before `end`, in order, `limit` at most. */
export function findNearMisses(
  { routes }: VirtualHost,
  request: MatchRequest,
  { end, limit }: { readonly end: number; readonly limit: number },
): readonly NearMiss[] {
  const misses: NearMiss[] = [];
  for (const [index, route] of routes.slice(0, end).entries()) {
    if (misses.length === limit) break;
    const { path } = route.match;
    const reason = rejectPath(path, request.path);
    if (reason === null) misses.push({ index, reason: `the path matches, but ${rejectRoute(route, request)}` });
    else if (differsSlightly(path, request.path)) misses.push({ index, reason });
  }
  return misses;
}

/** Why a route does not match, or null when it does. */
function rejectRoute(route: Route, request: MatchRequest): string | null {
  const pathReason = rejectPath(route.match.path, request.path);
  if (pathReason !== null) return pathReason;
  for (const header of route.match.headers) {
    const reason = rejectHeader(header, request);
    if (reason !== null) return reason;
  }
  for (const parameter of route.match.queryParams) {
    const reason = rejectQueryParam(parameter, request.query);
    if (reason !== null) return reason;
  }
  return null;
}

function rejectPath({ kind, value, ignoreCase }: PathMatch, path: string): string | null {
  if (kind === "regex") {
    return fullyMatches(value, path) === true
      ? null
      : `path ${quote(path)} does not match the regular expression ${value}`;
  }
  const [left, right] = ignoreCase ? [lowerAscii(path), lowerAscii(value)] : [path, value];
  if (holds(kind, left, right)) return null;
  const claim = `path ${quote(path)} ${kind === "exact" ? "is not" : "does not start with"} ${value}`;
  if (differsInCase(kind, path, value)) return `${claim}: only the letter case differs`;
  return differsInSlash(path, value) ? `${claim}: only the trailing slash differs` : claim;
}

function holds(kind: "exact" | "prefix", path: string, value: string): boolean {
  return kind === "exact" ? path === value : path.startsWith(value);
}

function differsInCase(kind: "exact" | "prefix", path: string, value: string): boolean {
  return holds(kind, lowerAscii(path), lowerAscii(value));
}

function differsInSlash(path: string, value: string): boolean {
  return `${path}/` === value || path === `${value}/`;
}

function differsSlightly({ kind, value }: PathMatch, path: string): boolean {
  return kind !== "regex" && (differsInCase(kind, path, value) || differsInSlash(path, value));
}

function rejectHeader(match: HeaderMatch, request: MatchRequest): string | null {
  const [what, value] = headerInWords(match.name, request);
  if (!match.invert) {
    if (value === null) return `${what} is absent`;
    return rejectValue(match, what, value);
  }
  if (match.kind === "present") return value === null ? null : `${what} is present, and the route excludes it`;
  // A missing header counts as empty when a route asks what it must not be.
  if (match.kind === "regex" && fullyMatches(match.value, "") === null) return `${match.value} is no RE2 expression`;
  if (rejectValue(match, what, value ?? "") !== null) return null;
  return `${what} is ${value === null ? "absent, which counts as empty" : quote(value)}, and the route excludes it`;
}

function headerInWords(name: string, request: MatchRequest): [what: string, value: string | null] {
  if (name === ":method") return ["method", request.method];
  if (name === ":scheme") return ["scheme", request.scheme];
  if (name === ":authority" || name === "host") return ["authority", request.authority];
  return [`header ${name}`, request.header(name)];
}

function rejectQueryParam(match: QueryParamMatch, query: string): string | null {
  const what = `query parameter ${match.name}`;
  const parts = query.split("&");
  // Nothing stands behind a trailing `&`, not even a parameter without a name.
  if (parts.at(-1) === "") parts.pop();
  for (const part of parts) {
    const [name, ...rest] = part.split("=");
    // The first of its name counts, and nothing is percent-decoded.
    if (name === match.name) return rejectValue(match, what, rest.join("="));
  }
  return `${what} is absent`;
}

function rejectValue({ kind, value }: ValueMatch, what: string, actual: string): string | null {
  switch (kind) {
    case "present":
      return null;
    case "exact":
      return actual === value ? null : `${what} is ${quote(actual)}, not ${quote(value)}`;
    case "prefix":
      return actual.startsWith(value) ? null : `${what} is ${quote(actual)}, which does not start with ${quote(value)}`;
    case "regex":
      if (fullyMatches(value, actual) === true) return null;
      return `${what} is ${quote(actual)}, which does not match the regular expression ${value}`;
  }
}

/** RE2, the whole text; null when the expression is not RE2. */
function fullyMatches(expression: string, text: string): boolean | null {
  try {
    return RE2JS.compile(expression).matcher(text).matches();
  } catch {
    return null;
  }
}

function lowerAscii(text: string): string {
  let lower = "";
  for (const character of text) lower += character >= "A" && character <= "Z" ? character.toLowerCase() : character;
  return lower;
}

/** `status (#0)`, or `#0` for a route without name. */
export function describeRoute(route: Route, index: number): string {
  return route.name === "" ? `#${index}` : `${route.name} (#${index})`;
}

/** What a route demands, in words: `path starts with /status and header x-canary is "1"`. */
function describeMatch({ match }: Route): string {
  const path = { prefix: "starts with", exact: "is", regex: "matches" }[match.path.kind];
  const headers = match.headers.map((header) => {
    return `${header.name}${header.invert ? " not" : ""} ${describeValue(header)}`;
  });
  const parameters = match.queryParams.map(
    (parameter) => `query parameter ${parameter.name} ${describeValue(parameter)}`,
  );
  return [
    `path ${path} ${match.path.value}${match.path.ignoreCase ? " (any case)" : ""}`,
    ...headers,
    ...parameters,
  ].join(" and ");
}

function describeValue({ kind, value }: ValueMatch): string {
  const verb = { exact: "is ", prefix: "starts with ", regex: "matches ", present: "is present" }[kind];
  return kind === "present" ? verb : verb + quote(value);
}
