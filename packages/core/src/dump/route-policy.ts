// Faults, cross-origin policies and header operations of a route, in Envoy's shape.
import type {
  CorsPolicy,
  FaultPolicy,
  HeaderOperations,
  HeaderPolicy,
  RoutePolicy,
  ValueMatch,
} from "../model/index.ts";
import { dumpPercentage, formatDuration, type JsonObject, nonEmpty, optional, typeUrl } from "./json.ts";

/** The fields of a route; none where nothing is asked for. */
export function dumpPolicy(policy: RoutePolicy | null): JsonObject {
  if (policy === null) return {};
  const { fault, cors, headers } = policy;
  const filters = {
    ...optional("envoy.filters.http.fault", fault === null ? null : dumpFault(fault)),
    ...optional("envoy.filters.http.cors", cors === null ? null : dumpCors(cors)),
  };
  return {
    ...(Object.keys(filters).length === 0 ? {} : { typedPerFilterConfig: filters }),
    ...dumpHeaderPolicy(headers),
  };
}

/** Of a route or a weighted cluster. */
export function dumpHeaderPolicy(policy: HeaderPolicy | null): JsonObject {
  if (policy === null) return {};
  return { ...dumpOperations(policy.request, "request"), ...dumpOperations(policy.response, "response") };
}

function dumpOperations({ remove, set, add }: HeaderOperations, side: "request" | "response"): JsonObject {
  const values = [
    ...set.map(({ name, value }) => ({ header: { key: name, value }, appendAction: "OVERWRITE_IF_EXISTS_OR_ADD" })),
    // Appending is Envoy's zero value, which JSON leaves out.
    ...add.map(({ name, value }) => ({ header: { key: name, value } })),
  ];
  return { ...nonEmpty(`${side}HeadersToAdd`, values), ...nonEmpty(`${side}HeadersToRemove`, remove) };
}

function dumpFault({ delay, abort }: FaultPolicy): JsonObject {
  return {
    ...typeUrl("envoy.extensions.filters.http.fault.v3.HTTPFault"),
    ...optional(
      "delay",
      delay && { fixedDelay: formatDuration(delay.durationMs, "modern"), percentage: dumpPercentage(delay.percentage) },
    ),
    ...optional(
      "abort",
      abort && {
        ...optional("httpStatus", abort.httpStatus),
        ...optional("grpcStatus", abort.grpcStatus),
        percentage: dumpPercentage(abort.percentage),
      },
    ),
  };
}

function dumpCors(policy: CorsPolicy): JsonObject {
  return {
    ...typeUrl("envoy.extensions.filters.http.cors.v3.CorsPolicy"),
    ...nonEmpty("allowOriginStringMatch", policy.allowOrigins.map(dumpOrigin)),
    ...optional("allowMethods", policy.allowMethods || null),
    ...optional("allowHeaders", policy.allowHeaders || null),
    ...optional("exposeHeaders", policy.exposeHeaders || null),
    ...optional("maxAge", policy.maxAgeSeconds === null ? null : String(policy.maxAgeSeconds)),
    allowCredentials: policy.allowCredentials,
    filterEnabled: { defaultValue: { numerator: 100 } },
    forwardNotMatchingPreflights: policy.forwardsUnmatchedPreflights,
  };
}

function dumpOrigin({ kind, value }: ValueMatch): JsonObject {
  return kind === "regex" ? { safeRegex: { regex: value } } : { [kind]: value };
}
