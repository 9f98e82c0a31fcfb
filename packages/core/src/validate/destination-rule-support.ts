// What of Istio's DestinationRule this release does not act on.
import type { SupportTable } from "./support-table.ts";

/** Settings of a whole destination, of one port and of a subset have the same fields. */
const wholePolicies = ["spec.trafficPolicy", "spec.subsets[].trafficPolicy"] as const;
const policies = wholePolicies.flatMap((policy) => [policy, `${policy}.portLevelSettings[]`]);

function forEach<Row>(places: readonly string[], rows: Readonly<Record<string, Row>>): Record<string, Row> {
  const fields = places.flatMap((place) => Object.entries(rows).map(([field, row]) => [`${place}.${field}`, row]));
  return Object.fromEntries(fields) as Record<string, Row>;
}

const keepaliveHint = "Node.js can set the time until the first probe only; the rest is the system's default.";

export const destinationRuleSupport: SupportTable = {
  refusedFields: {
    ...forEach(policies, {
      "loadBalancer.backendUtilization":
        "weights from load reports in the upstream's answers; leave it out and LEAST_REQUEST is used",
      "loadBalancer.zoneAwareLbSetting":
        "shares that depend on how many gateways run in each zone, which one machine does not know; write localityLbSetting",
    }),
    ...forEach(wholePolicies, {
      tunnel: "reaching the upstream through another proxy; name that proxy's address as the endpoint instead",
    }),
  },
  ignoredFields: forEach(policies, {
    "connectionPool.tcp.tcpKeepalive.probes": keepaliveHint,
    "connectionPool.tcp.tcpKeepalive.interval": keepaliveHint,
    "outlierDetection.consecutiveErrors":
      "It is deprecated, and Istio no longer acts on it. Write consecutiveGatewayErrors or consecutive5xxErrors.",
  }),
  refusedValues: forEach(policies, {
    "tls.mode": {
      ISTIO_MUTUAL:
        "ISTIO_MUTUAL takes certificates from a mesh's own authority. Use MUTUAL and name the certificates.",
    },
  }),
};
