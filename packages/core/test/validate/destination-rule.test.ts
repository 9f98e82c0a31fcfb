import { describe, expect, it } from "vitest";
import { check, codes, findings, istio } from "./support.ts";

const service =
  "---\napiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: shop}\nspec: {ports: [{port: 80}]}\n";

/** A rule for a known service; `spec` starts on line 6. */
function rule(spec: string): string {
  return `${istio("DestinationRule", `  host: a\n  ${spec}\n`)}${service}`;
}

function policy(text: string): string {
  return rule(`trafficPolicy: {${text}}`);
}

function tls(text: string): string {
  return policy(`tls: {${text}}`);
}

const where = "spec.trafficPolicy";

describe("a correct DestinationRule", () => {
  it("is read without a finding", () => {
    const text = rule(
      `exportTo: [.]
  trafficPolicy:
    loadBalancer: {simple: LEAST_CONN}
    proxyProtocol: {}
    connectionPool:
      tcp: {maxConnections: 1, connectTimeout: 1.5s, tcpKeepalive: {time: 7200s}, maxConnectionDuration: 1h30m, idleTimeout: 0s}
      http:
        http1MaxPendingRequests: 2
        http2MaxRequests: 3
        maxRequestsPerConnection: 0
        idleTimeout: 100ms
        h2UpgradePolicy: UPGRADE
        useClientProtocol: false
        maxConcurrentStreams: 5
    tls: {mode: MUTUAL, clientCertificate: /c, privateKey: /k, caCertificates: /ca, caCrl: /crl, sni: s, subjectAltNames: [x]}
    portLevelSettings:
    - port: {number: 80}
      loadBalancer: {simple: UNSPECIFIED}
      tls: {mode: SIMPLE, credentialName: kubernetes://ns/ca}`,
    );
    expect(findings(text)).toEqual([]);
    expect(check(text).resources.destinationRules[0]?.spec).toMatchObject({
      host: "a",
      trafficPolicy: {
        connectionPool: { tcp: { connectTimeout: "1.5s" }, http: { maxConcurrentStreams: 5 } },
        portLevelSettings: [{ port: { number: 80 }, tls: { mode: "SIMPLE" } }],
      },
    });
  });

  it("may name a wildcard", () => {
    expect(findings(istio("DestinationRule", "  host: '*.shop.com'\n"))).toEqual([]);
  });
});

describe("a DestinationRule", () => {
  it.each([
    ["trafficPolicy: {tunnel: {targetHost: a, targetPort: 1}}", `${where}.tunnel`],
    ["subsets: [{name: a, trafficPolicy: {tunnel: {targetHost: a}}}]", "spec.subsets[0].trafficPolicy.tunnel"],
    ...["zoneAwareLbSetting", "backendUtilization"].map((field) => [
      `trafficPolicy: {portLevelSettings: [{port: {number: 80}, loadBalancer: {${field}: {x: y}}}]}`,
      `${where}.portLevelSettings[0].loadBalancer.${field}`,
    ]),
  ])("with %s is refused", (field, path) => {
    const found = codes(rule(field ?? ""));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`error unsupported-field ${path}`);
    expect(check(rule(field ?? "")).resources.destinationRules).toEqual([]);
  });

  it.each([
    ["loadBalancer: {simple: ROUNDROBIN}", `6:34 error invalid-value ${where}.loadBalancer.simple`],
    ["tls: {mode: ISTIO_MUTUAL}", `6:25 error unsupported-value ${where}.tls.mode`],
    ["proxyProtocol: {version: V3}", `6:35 error invalid-value ${where}.proxyProtocol.version`],
    [
      "connectionPool: {tcp: {maxConnections: -1}}",
      `6:42 error out-of-range ${where}.connectionPool.tcp.maxConnections`,
    ],
    [
      "connectionPool: {tcp: {tcpKeepalive: {probes: 3, time: 1s}}}",
      `6:57 warning ignored-field ${where}.connectionPool.tcp.tcpKeepalive.probes`,
    ],
    [
      "connectionPool: {http: {useClientProtocol: true, h2UpgradePolicy: UPGRADE}}",
      `6:43 error conflicting-fields ${where}.connectionPool.http.useClientProtocol`,
    ],
    [
      "portLevelSettings: [{port: {number: 80}, tls: {}}, {port: {number: 80}, tls: {}}]",
      `6:78 error duplicate-port ${where}.portLevelSettings[1].port.number`,
    ],
    ["portLevelSettings: [{tls: {}}]", `6:39 error missing-field ${where}.portLevelSettings[0].port`],
    ["portLevelSetting: []", `6:19 error unknown-field ${where}.portLevelSetting`],
  ])("with %s gives %s", (text, expected) => {
    expect(codes(policy(text))).toEqual([expected]);
  });

  it.each(["", "5", "s", "1.2.3s", "-1s", "1 s", "0s", "500us", "1.5ms", "1d", "1s,"])(
    "with the connect timeout %j is refused",
    (duration) => {
      expect(codes(policy(`connectionPool: {tcp: {connectTimeout: ${JSON.stringify(duration)}}}`))).toEqual([
        `6:42 error invalid-duration ${where}.connectionPool.tcp.connectTimeout`,
      ]);
    },
  );

  it("names every duration that is none", () => {
    const text = policy(
      "connectionPool: {tcp: {idleTimeout: x, tcpKeepalive: {time: x}, maxConnectionDuration: x}, http: {idleTimeout: 0s}}",
    );
    const paths = ["tcp.idleTimeout", "tcp.tcpKeepalive.time", "tcp.maxConnectionDuration", "http.idleTimeout"];
    expect(codes(text).map((line) => line.split(" ").slice(2).join(" "))).toEqual(
      paths.map((path) => `invalid-duration ${where}.connectionPool.${path}`),
    );
  });

  it("is checked for its host, visibility and slips", () => {
    expect(codes(istio("DestinationRule", "  host: ''\n"))).toEqual(["5:3 error empty-value spec.host"]);
    expect(codes(istio("DestinationRule", "  host: 'a b'\n"))).toEqual(["5:3 error invalid-host spec.host"]);
    expect(codes(rule("exportTo: [A]"))).toEqual(["6:14 error invalid-export-to spec.exportTo[0]"]);
    expect(findings(rule("trafficpolicy: {}"))).toEqual([
      'c.yaml:6:3 error unknown-field spec.trafficpolicy: there is no field "trafficpolicy" here (Did you mean "trafficPolicy"?)',
    ]);
  });

  it("for no known service is a warning", () => {
    expect(findings(`${istio("DestinationRule", "  host: b\n")}${service.replace("name: a", "name: bb")}`)).toEqual([
      'c.yaml:5:3 warning unused-destination-rule spec.host: "b" is no known service: nothing of this rule is used (Did you mean "bb.shop.svc.cluster.local"?)',
    ]);
  });
});

describe("TLS to an upstream", () => {
  it.each([
    ["mode: MUTUAL", ["missing-certificate clientCertificate", "missing-certificate privateKey"]],
    ["mode: MUTUAL, clientCertificate: /c", ["missing-certificate privateKey"]],
    ["mode: MUTUAL, credentialName: a", []],
    ["mode: SIMPLE", []],
    ["mode: SIMPLE, clientCertificate: /c, privateKey: ''", ["ineffective-field clientCertificate"]],
    ["mode: SIMPLE, credentialName: a/b", ["invalid-credential-name credentialName"]],
    ["mode: SIMPLE, credentialName: a, caCertificates: /ca", ["conflicting-fields caCertificates"]],
    ["mode: SIMPLE, credentialName: a, caCrl: /crl", ["conflicting-fields caCrl"]],
    ["mode: SIMPLE, insecureSkipVerify: true", ["no-server-verification insecureSkipVerify"]],
    ["mode: SIMPLE, insecureSkipVerify: true, caCertificates: /ca", ["conflicting-fields caCertificates"]],
    ["mode: SIMPLE, insecureSkipVerify: true, credentialName: a", ["conflicting-fields credentialName"]],
    ["mode: SIMPLE, insecureSkipVerify: true, subjectAltNames: [a]", ["conflicting-fields subjectAltNames"]],
    ["mode: MUTUAL, insecureSkipVerify: true, credentialName: a", ["no-server-verification insecureSkipVerify"]],
    ["mode: DISABLE", []],
    ["mode: DISABLE, sni: a", ["ineffective-field sni"]],
    ["caCertificates: /ca", ["ineffective-field caCertificates"]],
  ])("with %s gives %j", (text, expected) => {
    const found = codes(tls(text)).map((line) => line.replace(/^\S+ \S+ /, "").replace(`${where}.tls.`, ""));
    expect(found).toEqual(expected);
  });
});
