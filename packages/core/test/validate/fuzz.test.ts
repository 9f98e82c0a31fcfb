// Whatever the text, reading and validating return findings; they never throw, hang or invent a place.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { diagnosticCodes } from "../../src/validate/index.ts";
import { check } from "./support.ts";

const base = `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, labels: &l {a: b}}
spec:
  selector: *l
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: ["*.a.com", 'shop/b.com']
    tls: {mode: MUTUAL, serverCertificate: /c, privateKey: /k, caCertificates: /ca}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: vs}
spec:
  hosts: [x.a.com]
  gateways: [gw]
  http:
  - match:
    - uri: {regex: "/a.*"}
      headers: {x-a: {exact: b}}
    route:
    - destination: {host: cart, port: {number: 80}}
      weight: 10
      headers: {request: {set: {x-a: "%REQ(x-b)%"}, remove: [x-c]}}
    rewrite: {uriRegexRewrite: {match: "/(.*)", rewrite: '/\\1'}, authority: b.com}
    timeout: 5s
    retries: {attempts: 3, perTryTimeout: 1s, retryOn: "5xx,503", backoff: 25ms}
    fault: {delay: {fixedDelay: 1s, percentage: {value: 0.5}}, abort: {grpcStatus: UNAVAILABLE, percentage: {value: 1}}}
    mirrors: [{destination: {host: copy}, percentage: {value: 10}}]
    corsPolicy: {allowOrigins: [{exact: "https://a.com"}], allowMethods: [GET], maxAge: 24h}
    headers: {response: {add: {x-d: "100%%"}}}
  - match: [{uri: {prefix: /old}, sourceLabels: {a: b}}]
    redirect: {prefixRewrite: /new, scheme: https, derivePort: FROM_REQUEST_PORT, redirectCode: 308}
  - directResponse: {status: 503, body: {string: closed}}
  - delegate: {name: other, namespace: shop}
  tls:
  - match: [{sniHosts: [x.a.com], port: 443}]
    route: [{destination: {host: cart}}]
  tcp: [{route: [{destination: {host: cart}}]}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: dr}
spec:
  host: cart
  trafficPolicy:
    connectionPool: {tcp: {connectTimeout: 1.5s, maxConnections: 1}, http: {idleTimeout: 1s}}
    tls: {mode: SIMPLE, caCertificates: /ca}
    loadBalancer:
      consistentHash: {httpCookie: {name: sid, ttl: 1s, attributes: [{name: SameSite, value: Lax}]}, maglev: {tableSize: 1009}}
      localityLbSetting: {distribute: [{from: us/*, to: {us/a: 80, eu: 20}}], failoverPriority: [a=b]}
    outlierDetection: {consecutive5xxErrors: 3, interval: 1s, outlierDetectionHttpErrorCodes: [503]}
    retryBudget: {percent: 10.5, budgetInterval: 1s}
    portLevelSettings: [{port: {number: 80}, loadBalancer: {simple: RANDOM, warmup: {duration: 1s}}}]
  subsets: [{name: v1, labels: {version: v1}, trafficPolicy: {outlierDetection: {}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: se}
spec: {hosts: [vm.com], resolution: STATIC, ports: [{number: 80, name: http}], workloadSelector: {labels: {app: vm}}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: we}
spec: {address: "unix:///run/a", labels: {app: vm}, locality: us/a/1, weight: 2}
---
{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"tls.crt": "aGVs"}}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: cart}, spec: {ports: [{port: 80}]}}
`;

function expectSound(text: string): void {
  const { diagnostics } = check(text);
  const lineCount = text.split("\n").length;
  for (const { code, line, column, file, message } of diagnostics) {
    expect(diagnosticCodes).toHaveProperty([code]);
    expect(file).toBe("c.yaml");
    expect(line >= 1 && line <= lineCount && column >= 1).toBe(true);
    expect(message).not.toBe("");
  }
}

const fragment = fc.oneof(
  fc.constantFrom(
    "*",
    "&l ",
    "<<: *l\n",
    "- ",
    "? ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "|\n",
    ">\n",
    "\t",
    "---\n",
    "...\n",
    "#",
    "!!x ",
    "%",
    "@",
    "`",
  ),
  fc.constantFrom(
    "null",
    "~",
    "__proto__: 1\n",
    "constructor",
    "1e999",
    ".nan",
    "-0",
    "0x10",
    "\uFEFF",
    "\0",
    "\r",
    "\u2028",
    "\uD800",
    "kind: List\n",
  ),
  fc.string({ maxLength: 8 }),
);

const mutation = fc.record({ at: fc.nat(base.length), remove: fc.nat(12), insert: fragment });

describe("reading and validating", () => {
  it("survive a mutilated configuration", () => {
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 6 }), (mutations) => {
        let text = base;
        for (const { at, remove, insert } of mutations) text = text.slice(0, at) + insert + text.slice(at + remove);
        expectSound(text);
      }),
      { numRuns: 800 },
    );
  });

  it("survive arbitrary text", () => {
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 40 }), (fragments) => expectSound(fragments.join(""))),
      { numRuns: 1500 },
    );
  });

  const kinds = ["Gateway", "VirtualService", "DestinationRule", "ServiceEntry", "WorkloadEntry"] as const;
  const word = fc.constantFrom(
    "hosts",
    "http",
    "servers",
    "port",
    "ports",
    "number",
    "name",
    "tls",
    "mode",
    "match",
    "route",
    "uri",
    "headers",
    "exact",
    "destination",
    "host",
    "endpoints",
    "resolution",
    "tcp",
    "sniHosts",
    "trafficPolicy",
    "connectionPool",
    "connectTimeout",
    "portLevelSettings",
    "loadBalancer",
    "consistentHash",
    "localityLbSetting",
    "distribute",
    "from",
    "to",
    "outlierDetection",
    "subsets",
    "labels",
    "workloadSelector",
    "address",
    "locality",
    "externalName",
    "status",
    "podIP",
    "credentialName",
    "gateways",
    "http_routes",
    "ignore_uri_case",
    "exportTo",
    "redirect",
    "directResponse",
    "delegate",
    "rewrite",
    "retries",
    "fault",
    "percentage",
    "mirror",
    "corsPolicy",
    "request",
    "set",
    "appendHeaders",
    "constructor",
    "toString",
    "hasOwnProperty",
    "",
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      tie("leaf"),
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(word, tie("tree"), { maxKeys: 6 }),
    ),
    leaf: fc.oneof(
      fc.constantFrom("*", "a.com", "SIMPLE", "HTTP", "STATIC", "(", ""),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
    ),
  }));

  it("survive arbitrary specs of every Istio kind, as JSON and as YAML", () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), tree, fc.boolean(), (kind, spec, asJson) => {
        const document = { apiVersion: "networking.istio.io/v1", kind, metadata: { name: "a" }, spec };
        expectSound(asJson ? JSON.stringify(document) : stringify(document));
      }),
      { numRuns: 1500 },
    );
  });

  it("survive arbitrary Kubernetes documents", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("Service", "Secret", "ConfigMap", "Endpoints", "Pod"),
        tree,
        tree,
        (kind, first, second) => {
          const document = {
            apiVersion: "v1",
            kind,
            metadata: { name: "a", labels: second },
            spec: first,
            data: first,
            subsets: second,
            status: second,
          };
          expectSound(JSON.stringify(document));
        },
      ),
      { numRuns: 800 },
    );
  });

  it("say the same twice", () => {
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 4 }), (mutations) => {
        let text = base;
        for (const { at, remove, insert } of mutations) text = text.slice(0, at) + insert + text.slice(at + remove);
        expect(check(text).diagnostics).toEqual(check(text).diagnostics);
      }),
      { numRuns: 200 },
    );
  });
});
