// What of Istio's DestinationRule this release does not act on.
import type { SupportTable } from "./support-table.ts";

/** Settings of a whole destination and of one port have the same fields. */
const policies = ["spec.trafficPolicy", "spec.trafficPolicy.portLevelSettings[]"] as const;

function forEachPolicy<Row>(rows: Readonly<Record<string, Row>>): Record<string, Row> {
  const fields = policies.flatMap((policy) => Object.entries(rows).map(([field, row]) => [`${policy}.${field}`, row]));
  return Object.fromEntries(fields) as Record<string, Row>;
}

const balancerHint = "Endpoints are chosen by LEAST_REQUEST, Istio's default; write that, or nothing.";
const keepaliveHint = "Node.js can set the time until the first probe only; the rest is the system's default.";

export const destinationRuleSupport: SupportTable = {
  refusedFields: {
    "spec.subsets": "subsets",
    "spec.workloadSelector": "rules for some gateways by their labels",
    ...forEachPolicy({
      "loadBalancer.consistentHash": "choosing endpoints by a hash",
      "loadBalancer.localityLbSetting": "choosing endpoints by locality",
      "loadBalancer.zoneAwareLbSetting": "choosing endpoints by locality",
      "loadBalancer.backendUtilization": "choosing endpoints by their load",
      "loadBalancer.warmup": "sparing endpoints that are new",
      "loadBalancer.warmupDurationSecs": "sparing endpoints that are new",
      "connectionPool.http.maxRetries": "retries",
      "connectionPool.http.http2KeepAlive": "probing HTTP/2 connections",
      outlierDetection: "leaving out endpoints that fail",
    }),
    "spec.trafficPolicy.tunnel": "reaching the upstream through a tunnel",
    "spec.trafficPolicy.retryBudget": "retries",
  },
  ignoredFields: forEachPolicy({
    "connectionPool.tcp.tcpKeepalive.probes": keepaliveHint,
    "connectionPool.tcp.tcpKeepalive.interval": keepaliveHint,
  }),
  refusedValues: forEachPolicy({
    "loadBalancer.simple": { ROUND_ROBIN: balancerHint, RANDOM: balancerHint, PASSTHROUGH: balancerHint },
    "tls.mode": {
      ISTIO_MUTUAL:
        "ISTIO_MUTUAL takes certificates from a mesh's own authority. Use MUTUAL and name the certificates.",
    },
  }),
};
