// How a cluster picks an endpoint and how it treats the connection, one line a matter. What is Istio's default is left out.
import {
  type Balancer,
  type Cluster,
  type ClusterLimits,
  defaultClusterLimits,
  type HashKey,
  type OutlierDetection,
} from "../model/index.ts";
import type { PolicyLine } from "./describe-policy.ts";
import { formatMilliseconds } from "./milliseconds.ts";
import { quote } from "./quote.ts";

/** @param isRaw connections whose bytes are passed on unread */
export function describeCluster(cluster: Cluster, isRaw: boolean): readonly PolicyLine[] {
  const { balancer, destinationRule, endpoints, outlierDetection, sendsProxyProtocol, tls, warmup } = cluster;
  const lines: PolicyLine[] = [];
  const add = (name: string, text: string) => lines.push({ name, text });
  if (destinationRule !== null) add("rule", `DestinationRule ${destinationRule.namespace}/${destinationRule.name}`);
  if (endpoints.length > 1 || balancer.kind !== "least-request") add("balancer", describeBalancer(balancer, isRaw));
  if (warmup !== null) {
    const { durationMs, minimumPercent } = warmup;
    add(
      "warm-up",
      `new endpoints begin with ${minimumPercent} % and have their share after ${formatMilliseconds(durationMs)}`,
    );
  }
  if (outlierDetection !== null) add("ejection", describeOutliers(outlierDetection));
  if (tls !== null) {
    const names = tls.subjectAltNames.length === 0 ? "the server name" : tls.subjectAltNames.join(" or ");
    const check = tls.acceptsUntrusted ? "its certificate is not checked" : `its certificate must name ${names}`;
    add(
      "tls",
      `${tls.certificate === null ? "" : "with a client certificate, "}${tls.sni === "" ? "" : `SNI ${quote(tls.sni)}, `}${check}`,
    );
  }
  if (sendsProxyProtocol !== null)
    add("proxy protocol", `version ${sendsProxyProtocol.slice(1)} before the first byte`);
  const limits = describeLimits(cluster.limits);
  if (limits !== "") add("limits", limits);
  return lines;
}

function describeBalancer(balancer: Balancer, isRaw: boolean): string {
  switch (balancer.kind) {
    case "least-request":
      return "the less busy of two endpoints drawn at random";
    case "round-robin":
      return "endpoints in turn";
    case "random":
      return "an endpoint drawn at random";
    case "ring-hash":
    case "maglev":
      if (isRaw && balancer.key.kind !== "source-ip")
        return `an endpoint drawn at random: a raw connection has no ${balancer.key.kind} to hash`;
      return `${balancer.kind === "maglev" ? "Maglev" : "ring"} hash of ${describeKey(balancer.key)}`;
  }
}

function describeKey(key: HashKey): string {
  switch (key.kind) {
    case "header":
      return `header ${key.name}`;
    case "cookie":
      return `cookie ${key.name}${key.ttlMs === null ? "" : ", made for clients without it"}`;
    case "source-ip":
      return "the client's address";
    case "query":
      return `query parameter ${key.name}`;
  }
}

function describeOutliers(detection: OutlierDetection): string {
  const { baseEjectionTimeMs, consecutive5xx, consecutiveGatewayErrors, consecutiveLocalErrors, maxEjectionPercent } =
    detection;
  const causes: string[] = [];
  if (consecutive5xx > 0) {
    causes.push(
      `${consecutive5xx} answers of ${detection.errorCodes.length === 0 ? "5xx" : detection.errorCodes.join(", ")}`,
    );
  }
  if (consecutiveGatewayErrors > 0) causes.push(`${consecutiveGatewayErrors} of 502, 503 or 504`);
  if (detection.splitsLocalErrors && consecutiveLocalErrors > 0)
    causes.push(`${consecutiveLocalErrors} failures to connect`);
  if (causes.length === 0) return "switched off";
  const duration = formatMilliseconds(baseEjectionTimeMs);
  return `after ${causes.join(" or ")} in a row, for ${duration} times the ejections so far, ${maxEjectionPercent} % of endpoints at most`;
}

/** Limits that are a number, of something. */
type CountedLimit = Exclude<keyof ClusterLimits, "tcpKeepaliveMs" | "http2Keepalive" | "retryBudget">;

const limitNames: readonly (readonly [CountedLimit, string])[] = [
  ["maxConnections", "connections"],
  ["maxPendingRequests", "pending requests"],
  ["maxRequests", "requests at once"],
  ["maxRequestsPerConnection", "requests a connection"],
  ["maxConcurrentStreams", "streams a connection"],
  ["maxRetries", "retries at once"],
];

function describeLimits(limits: ClusterLimits): string {
  const parts = limitNames
    .filter(([field]) => limits[field] !== defaultClusterLimits[field])
    .map(([field, name]) => `${limits[field]} ${name}`);
  if (limits.retryBudget !== null) parts.push(`retries for ${limits.retryBudget.percent} % of requests`);
  return parts.join(", ");
}
