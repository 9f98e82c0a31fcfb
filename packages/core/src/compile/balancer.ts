// `loadBalancer` of a traffic policy: how an endpoint is chosen, and how new ones are spared (istio-semantics 1.3).
import type {
  Balancer,
  ConsistentHashSettings,
  HashCookie,
  HashKey,
  LoadBalancerSettings,
  Warmup,
} from "../model/index.ts";
import { timerMs } from "./duration.ts";

/** Envoy's defaults. */
const defaultRingSize = 1024;
const defaultTableSize = 65_537;

/** Istio's default is to take the endpoint of two that has fewer requests. */
export function buildBalancer({ simple, consistentHash }: LoadBalancerSettings): Balancer {
  if (consistentHash !== undefined) return buildHashBalancer(consistentHash);
  switch (simple) {
    case "RANDOM":
      return { kind: "random" };
    case "ROUND_ROBIN":
    // A gateway ends connections: there is no address that the client meant to reach.
    case "PASSTHROUGH":
      return { kind: "round-robin" };
    case "UNSPECIFIED":
    case "LEAST_CONN":
    case "LEAST_REQUEST":
    case undefined:
      return { kind: "least-request" };
  }
}

function buildHashBalancer(settings: ConsistentHashSettings): Balancer {
  const key = buildHashKey(settings);
  // As Envoy does with requests that have nothing to hash.
  if (key === null) return { kind: "random" };
  const { ringHash, maglev, minimumRingSize } = settings;
  if (maglev !== undefined) return { kind: "maglev", key, size: maglev.tableSize || defaultTableSize };
  const size = (ringHash === undefined ? minimumRingSize : ringHash.minimumRingSize) || defaultRingSize;
  return { kind: "ring-hash", key, size };
}

function buildHashKey(settings: ConsistentHashSettings): HashKey | null {
  const { httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName } = settings;
  if (httpHeaderName !== undefined) return { kind: "header", name: httpHeaderName.toLowerCase() };
  if (httpCookie !== undefined) return buildCookieKey(httpCookie);
  if (httpQueryParameterName !== undefined) return { kind: "query", name: httpQueryParameterName };
  return useSourceIp === true ? { kind: "source-ip" } : null;
}

function buildCookieKey({ name, path = "", ttl, attributes = [] }: HashCookie): HashKey {
  return {
    kind: "cookie",
    name,
    path,
    ttlMs: timerMs(ttl),
    attributes: attributes.map(({ name: attribute, value = "" }) =>
      value === "" ? attribute : `${attribute}=${value}`,
    ),
  };
}

/** Only balancers that weigh endpoints can give a new one less; with the others Istio drops the setting. */
export function buildWarmup({ warmup, warmupDurationSecs }: LoadBalancerSettings, { kind }: Balancer): Warmup | null {
  const durationMs = timerMs(warmup?.duration ?? warmupDurationSecs);
  if (durationMs === null || (kind !== "least-request" && kind !== "round-robin")) return null;
  return { durationMs, minimumPercent: warmup?.minimumPercent ?? 10, aggression: warmup?.aggression ?? 1 };
}
