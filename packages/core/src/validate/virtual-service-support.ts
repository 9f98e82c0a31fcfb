// What of Istio's VirtualService this release does not act on.
import type { SupportTable } from "./support-table.ts";

const byAddress = "routes by the address that was connected to: an ingress gateway's is its own, whoever connects";

export const virtualServiceSupport: SupportTable = {
  refusedFields: {
    // Istio's webhook refuses these two as well.
    "spec.http[].fault.delay.exponentialDelay": "delays of random length; Istio does not support them either",
    "spec.http[].fault.abort.http2Error": "resets of HTTP/2 streams; Istio does not support them either",
    "spec.tls[].match[].destinationSubnets": byAddress,
    "spec.tcp[].match[].destinationSubnets": byAddress,
    "spec.tcp[].match[].sourceSubnet":
      "routes of raw connections by the client's address; Istio's gateways do not read it",
  },
  ignoredFields: {
    // Names statistics only; no request is treated differently.
    "spec.http[].match[].statPrefix": "It names statistics only.",
    // Istio 1.0's switch; WebSocket upgrades have been allowed on every route since 1.1, and are here.
    "spec.http[].websocketUpgrade": "WebSocket upgrades are always allowed.",
  },
  refusedValues: {},
};
