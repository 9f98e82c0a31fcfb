import { describe, expect, it } from "vitest";
import { check, codes, findings, istio } from "./support.ts";

const to = "route: [{destination: {host: db}}]";

/** A VirtualService of `*.a.com` and `b.com`; `rules` are on line 7. */
function rules(text: string): string {
  return istio("VirtualService", `  hosts: ["*.a.com", b.com]\n  gateways: [gw]\n  ${text}\n`);
}

describe("tls and tcp rules", () => {
  it("are read without a finding", () => {
    const text = rules(
      `tls: [{match: [{sniHosts: ["*.a.com", X.a.com], port: 443, gateways: [gw]}], route: [{destination: {host: db, port: {number: 1}}, weight: 2}, {destination: {host: a.com}}]}]\n  tcp: [{match: [{port: 9000, gateways: [mesh, other/gw]}], ${to}}, {${to}}]`,
    );
    expect(findings(text)).toEqual([]);
    expect(check(text).resources.virtualServices[0]?.spec).toMatchObject({
      tls: [{ match: [{ sniHosts: ["*.a.com", "X.a.com"], port: 443 }], route: [{ weight: 2 }, {}] }],
      tcp: [{ match: [{ port: 9000 }] }, { route: [{}] }],
    });
  });

  it.each([
    [`tls: [{${to}}]`, "7:9 error missing-field spec.tls[0].match"],
    [`tls: [{match: [], ${to}}]`, "7:10 error empty-list spec.tls[0].match"],
    [`tls: [{match: [{port: 443}], ${to}}]`, "7:18 error missing-field spec.tls[0].match[0].sniHosts"],
    [`tls: [{match: [{sniHosts: []}], ${to}}]`, "7:19 error empty-list spec.tls[0].match[0].sniHosts"],
    [
      `tls: [{match: [{sniHosts: [b.com, c.com]}], ${to}}]`,
      "7:37 error sni-not-in-hosts spec.tls[0].match[0].sniHosts[1]",
    ],
    [`tls: [{match: [{sniHosts: ["*"]}], ${to}}]`, "7:30 error sni-not-in-hosts spec.tls[0].match[0].sniHosts[0]"],
    [`tls: [{match: [{sniHosts: [a.com]}], ${to}}]`, "7:30 error sni-not-in-hosts spec.tls[0].match[0].sniHosts[0]"],
    [`tls: [{match: [{sniHosts: ["x*.a.com"]}], ${to}}]`, "7:30 error invalid-host spec.tls[0].match[0].sniHosts[0]"],
    [`tls: [{match: [{sniHosts: [b.com]}]}]`, "7:9 error missing-action spec.tls[0]"],
    [`tcp: [{}]`, "7:9 error missing-action spec.tcp[0]"],
    [`tcp: [{match: [{port: 0}], ${to}}]`, "7:19 error out-of-range spec.tcp[0].match[0].port"],
    [
      `tcp: [{match: [{gateways: [a/b/c]}], ${to}}]`,
      "7:30 error invalid-gateway-name spec.tcp[0].match[0].gateways[0]",
    ],
    [
      "tcp: [{route: [{destination: {host: a}}, {destination: {host: b}, weight: 0}]}]",
      "7:10 error invalid-weights spec.tcp[0].route",
    ],
    [`tcp: [{route: [{destination: {host: "*.a"}}]}]`, "7:33 error invalid-host spec.tcp[0].route[0].destination.host"],
    ...["destinationSubnets: [10.0.0.0/8]"].flatMap((field) => [
      [
        `tls: [{match: [{${field}, sniHosts: [b.com]}], ${to}}]`,
        `7:19 error unsupported-field spec.tls[0].match[0].${field.split(":")[0]}`,
      ],
      [
        `tcp: [{match: [{${field}}], ${to}}]`,
        `7:19 error unsupported-field spec.tcp[0].match[0].${field.split(":")[0]}`,
      ],
    ]),
    [
      `tcp: [{match: [{sourceLabels: {a b: c}}], ${to}}]`,
      '7:34 error invalid-label spec.tcp[0].match[0].sourceLabels["a b"]',
    ],
    [`tcp: [{match: [{sourceNamespace: A}], ${to}}]`, "7:19 error invalid-value spec.tcp[0].match[0].sourceNamespace"],
    [
      `tcp: [{match: [{sourceSubnet: 10.0.0.0/8}], ${to}}]`,
      "7:19 error unsupported-field spec.tcp[0].match[0].sourceSubnet",
    ],
  ])("with %s give %s", (text, expected) => {
    expect(codes(rules(text ?? ""))).toEqual([expected]);
    expect(check(rules(text ?? "")).resources.virtualServices).toEqual([]);
  });

  it.each([
    [`tcp: [{${to}}, {match: [{port: 1}], ${to}}]`, "7:47 warning unreachable-rule spec.tcp[1]"],
    [`tcp: [{match: [{port: 1}, {port: 1}], ${to}}]`, "7:29 warning unreachable-rule spec.tcp[0].match[1]"],
    [
      `tls: [{match: [{sniHosts: [b.com]}], ${to}}, {match: [{sniHosts: [b.com]}], ${to}}]`,
      "7:86 warning unreachable-rule spec.tls[1].match[0]",
    ],
    [
      `tcp: [{match: [{gateways: [gw], sourceLabels: {a: b}}], ${to}}]`,
      "7:35 warning ineffective-field spec.tcp[0].match[0].sourceLabels",
    ],
  ])("with %s are warned of", (text, expected) => {
    expect(codes(rules(text))).toEqual([expected]);
  });

  it("are one way among three to say where traffic goes", () => {
    expect(findings(rules("http: []"))).toEqual([
      "c.yaml:4:1 error missing-action spec: a virtual service needs http, tls or tcp rules (Add spec.http with a route.)",
    ]);
  });

  it("are checked for the Gateways, hosts and SNI names they refer to", () => {
    const world = `---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: shop}
spec:
  servers:
  - {port: {number: 443, name: tls, protocol: TLS}, hosts: [x.a.com, b.com], tls: {mode: PASSTHROUGH}}
`;
    const text = rules(`tls: [{match: [{sniHosts: [x.a.com, y.a.com], gateways: [nope]}], ${to}}]\n  tcp: [{${to}}]`);
    expect(check(text + world).diagnostics.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "host-not-in-gateway spec.tls[0].match[0].sniHosts[1]",
      "unknown-gateway spec.tls[0].match[0].gateways[0]",
      "unknown-host spec.tls[0].route[0].destination.host",
      "unknown-host spec.tcp[0].route[0].destination.host",
    ]);
  });
});
