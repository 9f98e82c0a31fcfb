// A route's predicates in Envoy's shape.
import type { HeaderMatch, PathMatch, QueryParamMatch, RouteMatch, ValueMatch } from "../model/index.ts";
import type { Dialect, JsonObject } from "./json.ts";

/** `RouteMatch` as the dialect prints it. */
export function dumpMatch({ path, headers, queryParams }: RouteMatch, dialect: Dialect): JsonObject {
  const isModern = dialect === "modern";
  return {
    ...dumpPath(path, dialect),
    ...(isModern ? { caseSensitive: !path.ignoreCase } : path.ignoreCase ? { caseSensitive: false } : {}),
    ...(headers.length === 0 ? {} : { headers: headers.map(isModern ? dumpHeader : dumpLegacyHeader) }),
    ...(queryParams.length === 0
      ? {}
      : { queryParameters: queryParams.map(isModern ? dumpQueryParam : dumpLegacyQueryParam) }),
  };
}

function dumpPath({ kind, value }: PathMatch, dialect: Dialect): JsonObject {
  if (kind === "prefix") return { prefix: value };
  if (kind === "exact") return { path: value };
  return dialect === "modern" ? { safeRegex: { regex: value } } : { regex: value };
}

function dumpHeader(match: HeaderMatch): JsonObject {
  // Envoy reads a header that is not there as empty only where it is asked to; Istio asks for it in `withoutHeaders`.
  const treatMissing = match.invert && match.kind !== "present" ? { treatMissingHeaderAsEmpty: true } : {};
  return { name: match.name, ...dumpValue(match), ...(match.invert ? { invertMatch: true } : {}), ...treatMissing };
}

function dumpQueryParam(match: QueryParamMatch): JsonObject {
  return { name: match.name, ...dumpValue(match) };
}

function dumpValue({ kind, value }: ValueMatch): JsonObject {
  switch (kind) {
    case "present":
      return { presentMatch: true };
    case "regex":
      return { stringMatch: { safeRegex: { regex: value } } };
    case "exact":
      return { stringMatch: { exact: value } };
    case "prefix":
      return { stringMatch: { prefix: value } };
  }
}

function dumpLegacyHeader({ name, kind, value, invert }: HeaderMatch): JsonObject {
  const matcher = kind === "present" ? { presentMatch: true } : { [`${kind}Match`]: value };
  return { name, ...matcher, ...(invert ? { invertMatch: true } : {}) };
}

/** 1.0 knew exact values and regexes only. */
function dumpLegacyQueryParam({ name, kind, value }: QueryParamMatch): JsonObject {
  if (kind === "present") return { name };
  return kind === "exact" ? { name, value } : { name, value: kind === "prefix" ? `${value}.*` : value, regex: true };
}
