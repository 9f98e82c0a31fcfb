// Every code that a diagnostic of the configuration can carry and what it means. The reference documentation is generated from
// this table, and a reporter accepts no code that is not in it.
import { parseCodes } from "../parse/codes.ts";

const shapeCodes = {
  "missing-field": "A field that must be set is not.",
  "unknown-field": "The field exists neither in Istio nor in Sluice; most often a slip of the pen.",
  "unsupported-field":
    "Istio has the field, this release does not act on it, and serving without it would change what happens.",
  "unsupported-value": "Istio knows the value, this release does not act on it.",
  "ignored-field": "Istio has the field, but it has no effect on an ingress gateway or in Istio itself.",
  "duplicate-field": "One field is given in both of its spellings, camelCase and snake_case.",
  "invalid-value": "The value is not one of the allowed ones.",
  "out-of-range": "The number or length lies outside its range.",
  "empty-value": "The text must not be empty.",
  "empty-list": "The list needs an entry.",
  "too-many-entries": "The list or map has more entries than allowed.",
} as const;

const ruleCodes = {
  "invalid-host": "A host name is malformed, or its form is not allowed here.",
  "duplicate-host": "A host is listed twice, or is covered by a wildcard of the same list.",
  "invalid-address": "The text is not an IP address, or not of the form wanted here.",
  "invalid-port-name": "A port name is missing or malformed.",
  "duplicate-port-name": "Two ports of one resource have the same name.",
  "duplicate-port": "Two ports of one resource have the same number.",
  "duplicate-server-name": "Two servers of one Gateway have the same name.",
  "missing-tls": "A server with a TLS protocol has no `tls`.",
  "tls-not-allowed": "A server without TLS has TLS settings other than `httpsRedirect`.",
  "ineffective-field": "The field has no effect in combination with the others.",
  "missing-certificate": "The TLS mode needs a certificate, key or client CA that is not named.",
  "conflicting-fields": "Only one of the fields may be set.",
  "invalid-credential-name": "A credential name is of no form that Sluice can read.",
  "invalid-certificate-pin": "A certificate or public key hash is malformed.",
  "unknown-cipher-suite": "The cipher suite is not known to this machine's OpenSSL, or is named twice; it is dropped.",
  "unknown-ecdh-curve": "The curve is not known, or is named twice; it is dropped.",
  "weak-tls-version": "TLS below 1.2 is allowed without the cipher suites it needs.",
  "invalid-tls-versions": "The lowest TLS version is above the highest.",
  "invalid-gateway-name": "A gateway reference is not `name`, `namespace/name` or `mesh`.",
  "legacy-gateway-name": "A gateway reference is written as a full name (`gw.ns`), in place of `namespace/name`.",
  "invalid-export-to": "An `exportTo` entry is malformed or contradicts another one.",
  "wildcard-on-mesh": "The host `*` is not allowed where a virtual service is bound to the mesh.",
  "missing-action": "A rule says nothing about where its requests or connections go.",
  "sni-not-in-hosts": "A TLS route matches a server name that the virtual service's hosts do not cover.",
  "invalid-duration": "The text is not a duration of at least a millisecond.",
  "invalid-weights": "The weights of a rule's destinations add up to nothing.",
  "invalid-match": "A match names none or several of exact, prefix and regex, or an empty text.",
  "invalid-regex": "The regular expression is not RE2, or too long.",
  "invalid-header-name": "The text cannot be the name of a header.",
  "header-name-case": "A header name has capitals; it is compared in lower case.",
  "invalid-uri": "The text cannot stand in a URI, or is a path that leads elsewhere than it says.",
  "invalid-header-value": "The text cannot be a header's value, or a % in it begins no operator.",
  "unknown-operator": "A header's value names a command operator that Sluice cannot fill in.",
  "unknown-retry-condition": "`retryOn` names neither a condition nor a registered status code.",
  "invalid-rewrite": "A rewrite refers to a group that its regular expression does not have.",
  "large-body": "The body of a direct response is so large that it slows every push down.",
  "unreachable-rule": "An earlier match takes every request that this one could.",
  "missing-resolution": "A ServiceEntry without `resolution` means NONE, which an ingress gateway cannot follow.",
  "missing-endpoints": "The resolution needs endpoints that are not given.",
  "unknown-port-name": "An endpoint names a port that the ServiceEntry does not have.",
  "deprecated-field":
    "The field is an old spelling, or one that Istio keeps for old configurations only; it is acted on.",
  "duplicate-name": "Two entries of one list have the same name.",
  "invalid-cookie": "The text cannot be part of a cookie.",
  "invalid-label": "The text cannot be the key or the value of a label.",
  "invalid-locality": "The text is not a locality, or overlaps another one.",
  "missing-hash-key": "A consistent hash says nothing of what is hashed, so requests are spread at random.",
  "missing-labels": "Without labels everything or nothing is selected.",
  "no-server-verification": "The certificate of an upstream is accepted whoever signed it.",
  "invalid-base64": "A Secret's value is not base64.",
  "invalid-timestamp": "`metadata.creationTimestamp` is not an RFC 3339 time.",
} as const;

const referenceCodes = {
  "unknown-gateway": "A virtual service names a Gateway that does not exist (yet).",
  "unknown-subset": "No DestinationRule defines the subset (yet): requests to it get 503, never another subset.",
  "unknown-host":
    "A destination is no known Service or ServiceEntry (yet), or none that the gateway sees: requests to it get 503.",
  "unknown-port": "A destination names a port that its service does not have: requests to it get 503.",
  "ambiguous-port": "A destination names no port, but its service has several or none.",
  "unknown-delegate":
    "A rule names a delegate that does not exist (yet), is no delegate, or is not exported to it: the rule is left out.",
  "unused-delegate": "A virtual service without hosts is a delegate, and no other one names it (yet).",
  "host-not-in-gateway": "No server of the named Gateways serves this host.",
  "unused-destination-rule":
    "No known Service or ServiceEntry that the gateway sees has the host of a DestinationRule (yet).",
  "conflicting-protocols":
    "ServiceEntries declare one port of one host with different protocols: the oldest one's is used.",
  "empty-selector": "A workloadSelector picks nothing (yet): requests to the host get 503.",
  "unusable-workload": "A WorkloadEntry is picked, but its address cannot be used there; it is left out.",
  "not-on-gateway": "A virtual service is bound to the mesh only: an ingress gateway serves nothing of it.",
} as const;

export const diagnosticCodes = { ...parseCodes, ...shapeCodes, ...ruleCodes, ...referenceCodes } as const;

export type DiagnosticCode = keyof typeof diagnosticCodes;
