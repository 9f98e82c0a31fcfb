// What of Istio's VirtualService this release does not act on.
import type { SupportTable } from "./support-table.ts";

export const virtualServiceSupport: SupportTable = {
  refusedFields: {
    "spec.http[].redirect": "redirects",
    "spec.http[].directResponse": "answers without an upstream",
    "spec.http[].delegate": "rules in another VirtualService",
    "spec.http[].rewrite": "rewriting of paths and hosts",
    "spec.http[].timeout": "timeouts of a route",
    "spec.http[].retries": "retries",
    "spec.http[].fault": "fault injection",
    "spec.http[].mirror": "mirroring",
    "spec.http[].mirrors": "mirroring",
    "spec.http[].mirrorPercent": "mirroring",
    "spec.http[].mirrorPercentage": "mirroring",
    "spec.http[].corsPolicy": "cross-origin policies",
    "spec.http[].headers": "header operations",
    // Istio 1.0's spelling of header operations.
    "spec.http[].appendHeaders": "header operations",
    "spec.http[].removeResponseHeaders": "header operations",
    "spec.http[].route[].headers": "header operations",
    "spec.http[].match[].sourceLabels": "rules for some gateways by their labels",
    "spec.http[].match[].sourceNamespace": "rules for some gateways by their namespace",
    "spec.tls[].match[].destinationSubnets": "routes by the address that was connected to",
    "spec.tls[].match[].sourceLabels": "rules for some gateways by their labels",
    "spec.tls[].match[].sourceNamespace": "rules for some gateways by their namespace",
    "spec.tcp[].match[].destinationSubnets": "routes by the address that was connected to",
    "spec.tcp[].match[].sourceSubnet": "routes by the client's address",
    "spec.tcp[].match[].sourceLabels": "rules for some gateways by their labels",
    "spec.tcp[].match[].sourceNamespace": "rules for some gateways by their namespace",
  },
  ignoredFields: {
    // Names statistics only; no request is treated differently.
    "spec.http[].match[].statPrefix": "It names statistics only.",
    // Istio 1.0's switch; WebSocket upgrades have been allowed on every route since 1.1, and are here.
    "spec.http[].websocketUpgrade": "WebSocket upgrades are always allowed.",
  },
  refusedValues: {},
};
