// How a cluster's endpoints are chosen and left out, as either dialect prints it.
import type { Balancer, Cluster, HashKey, OutlierDetection, Warmup } from "../model/index.ts";
import { type Dialect, formatDuration, type JsonObject, nonEmpty, optional } from "./json.ts";

const policies = {
  "least-request": "LEAST_REQUEST",
  "round-robin": "ROUND_ROBIN",
  random: "RANDOM",
  "ring-hash": "RING_HASH",
  maglev: "MAGLEV",
} as const satisfies Record<Balancer["kind"], string>;

/** Today's fields. */
export function balancingFields({ balancer, warmup, outlierDetection }: Cluster): JsonObject {
  return {
    lbPolicy: policies[balancer.kind],
    ...hashConfig(balancer),
    ...(warmup === null ? {} : slowStart(balancer, warmup)),
    ...(outlierDetection === null ? {} : outlierFields(outlierDetection)),
  };
}

/** What 1.0 could say. It knew no LEAST_REQUEST by default and left its default out, so neither of the two is printed. */
export function legacyBalancingFields({ balancer, outlierDetection }: Cluster): JsonObject {
  const isDefault = balancer.kind === "least-request" || balancer.kind === "round-robin";
  const { kind } = balancer;
  return {
    ...(isDefault ? {} : { lbPolicy: policies[kind] }),
    ...(kind === "ring-hash" ? hashConfig(balancer) : {}),
    ...(outlierDetection === null ? {} : { outlierDetection: detection(outlierDetection, "istio-1.0") }),
  };
}

function hashConfig(balancer: Balancer): JsonObject {
  if (balancer.kind === "ring-hash") return { ringHashLbConfig: { minimumRingSize: String(balancer.size) } };
  return balancer.kind === "maglev" ? { maglevLbConfig: { tableSize: String(balancer.size) } } : {};
}

function slowStart({ kind }: Balancer, { durationMs, minimumPercent, aggression }: Warmup): JsonObject {
  const slowStartConfig = {
    slowStartWindow: formatDuration(durationMs, "modern"),
    aggression: { defaultValue: aggression },
    minWeightPercent: { value: minimumPercent },
  };
  return kind === "round-robin"
    ? { roundRobinLbConfig: { slowStartConfig } }
    : { leastRequestLbConfig: { slowStartConfig } };
}

function outlierFields(settings: OutlierDetection): JsonObject {
  const { minHealthPercent } = settings;
  return {
    commonLbConfig: { healthyPanicThreshold: minHealthPercent === 0 ? {} : { value: minHealthPercent } },
    outlierDetection: detection(settings, "modern"),
  };
}

function detection(settings: OutlierDetection, dialect: Dialect): JsonObject {
  const { consecutive5xx, consecutiveGatewayErrors: gateway, splitsLocalErrors } = settings;
  return {
    consecutive5xx,
    interval: formatDuration(settings.intervalMs, dialect),
    baseEjectionTime: formatDuration(settings.baseEjectionTimeMs, dialect),
    maxEjectionPercent: settings.maxEjectionPercent,
    enforcingConsecutive5xx: consecutive5xx === 0 ? 0 : 100,
    enforcingSuccessRate: 0,
    ...(gateway === 0 ? {} : { consecutiveGatewayFailure: gateway, enforcingConsecutiveGatewayFailure: 100 }),
    ...(splitsLocalErrors
      ? {
          splitExternalLocalOriginErrors: true,
          consecutiveLocalOriginFailure: settings.consecutiveLocalErrors,
          enforcingConsecutiveLocalOriginFailure: 100,
          enforcingLocalOriginSuccessRate: 0,
        }
      : {}),
  };
}

/**
 * What Envoy holds elsewhere, in its words: the hash in every route that leads to the cluster, the error codes in an extension of its
 * own. Here both belong to the cluster, so that is where they are printed.
 */
export function balancingMetadata({ balancer, outlierDetection }: Cluster): JsonObject {
  const errorCodes = outlierDetection?.errorCodes ?? [];
  const metadata = {
    ...("key" in balancer ? { hashPolicy: [describeKey(balancer.key)] } : {}),
    ...(errorCodes.length === 0 ? {} : { outlierErrorCodes: errorCodes }),
  };
  return Object.keys(metadata).length === 0 ? {} : { sluice: metadata };
}

function describeKey(key: HashKey): JsonObject {
  switch (key.kind) {
    case "header":
      return { header: { headerName: key.name } };
    case "query":
      return { queryParameter: { name: key.name } };
    case "source-ip":
      return { connectionProperties: { sourceIp: true } };
    case "cookie":
      return {
        cookie: {
          name: key.name,
          ...optional("ttl", key.ttlMs === null ? null : formatDuration(key.ttlMs, "modern")),
          ...(key.path === "" ? {} : { path: key.path }),
          ...nonEmpty("attributes", key.attributes.map(readAttribute)),
        },
      };
  }
}

function readAttribute(attribute: string): JsonObject {
  const [name = "", ...value] = attribute.split("=");
  return value.length === 0 ? { name } : { name, value: value.join("=") };
}
