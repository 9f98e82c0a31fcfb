// Every finding that compiling can make: its code and what it means. The reference documentation is generated from this.

export const compileCodes = {
  "host-taken": "Another server of the same port already serves the host; the server is skipped.",
  "port-taken": "A server with another protocol already holds the port; the server is skipped.",
  "route-taken":
    "A virtual service has a rule that no request reaches, because another one on the same host comes before it and takes them all.",
  "redirect-shared":
    "A server without httpsRedirect shares a host with one that has it: requests for the host are redirected on both.",
  "shared-certificate":
    "Servers of two Gateways show one certificate on one port: clients reuse HTTP/2 connections between them and are answered 421.",
  "port-not-on-service": "No Service in front of the gateway has the port that a Gateway declares.",
  "no-route":
    "A TCP, TLS or PASSTHROUGH server has no route; nothing is done with its connections, so none are accepted.",
  "sni-taken": "A TLS route claims a server name that another chain of the listener has; the match is skipped.",
  "unresolved-target-port":
    "The Service in front of the gateway names its target port, which cannot be resolved; the port stays.",
  "invalid-annotation": "An annotation of Sluice has a value that it does not know; it is ignored.",
  "conflicting-annotation": "Gateways that share a listener disagree on an annotation of Sluice.",
  "missing-secret":
    "The Secret or ConfigMap does not exist or holds no client CA; connections that need it are refused.",
  "missing-certificate-file":
    "The file does not exist or cannot be read; connections that need it are refused until it can.",
  "invalid-certificate":
    "The certificate, key, CA or revocation list cannot be used; what served before is kept, if anything.",
  "certificate-not-yet-valid":
    "The certificate's validity has not begun; what served before is kept, if anything, until it has.",
  "duplicate-service-host": "A host is declared twice; the Service, or else the older ServiceEntry, wins.",
  "duplicate-destination-rule": "Several DestinationRules have a traffic policy for one host; the first one's is used.",
  "delegate-conflict":
    "A rule of a delegate matches what the rule that names the delegate does not hand on; it is left out.",
  "delegate-too-large":
    "The matches of a rule and those of its delegate make more routes than the limit; the rule is left out.",
  "duplicate-subset": "Several DestinationRules of one host define a subset of the same name; the first one's is used.",
  "empty-subset": "No endpoint has the labels of a subset that routes lead to: requests to it get 503.",
  "virtual-service-unused": "A VirtualService is bound to a Gateway but no route of it is served.",
} as const;

export type CompileCode = keyof typeof compileCodes;
