import { describe, expect, it } from "vitest";
import { check, codes, findings, istio } from "./support.ts";

/** A Gateway with one server; the lines of the server start on line 6. */
function server(lines: string): string {
  return istio("Gateway", `  servers:\n  - ${lines.trim().replaceAll("\n", "\n    ")}\n`);
}

function http(lines = ""): string {
  return server(`port: {number: 80, name: http, protocol: HTTP}\nhosts: ["*"]\n${lines}`);
}

/** The TLS settings stand on line 8. */
function https(tls: string, protocol = "HTTPS"): string {
  return server(`port: {number: 443, name: https, protocol: ${protocol}}\nhosts: ["*"]\ntls: {${tls}}`);
}

const files = "serverCertificate: /c, privateKey: /k";

describe("the spec of a Gateway", () => {
  it("is not hidden behind a label that is no text", () => {
    const text = http().replace("namespace: shop}", "namespace: shop, labels: {tier: 1}}").replace('"*"', '"short"');
    const { resources, diagnostics } = check(text);
    expect(diagnostics.map(({ code, path }) => `${code} ${path}`)).toEqual([
      "wrong-type metadata.labels.tier",
      "invalid-host spec.servers[0].hosts[0]",
    ]);
    expect(resources.gateways).toEqual([]);
  });
});

describe("a correct Gateway", () => {
  it("is read without a finding", () => {
    const text = istio(
      "Gateway",
      `  selector: {istio: ingressgateway}\n  servers:\n  - port: {number: 443, name: https, protocol: https}\n    name: main\n    bind: 10.0.0.1\n    hosts: ["*", "*.a.com", "./b.com", "shop/c.com", "*/d.com", "192.168.0.62", "fd00::1"]\n    tls: {mode: MUTUAL, ${files}, caCertificates: /ca, subjectAltNames: [a], minProtocolVersion: TLSV1_2, maxProtocolVersion: TLSV1_3}\n`,
    );
    const { resources } = check(text);
    expect(findings(text)).toEqual([]);
    expect(resources.gateways[0]).toMatchObject({ name: "it", namespace: "shop", labels: {}, creationTimestamp: null });
    expect(resources.gateways[0]?.spec.selector).toEqual({ istio: "ingressgateway" });
    expect(resources.gateways[0]?.spec.servers[0]).toMatchObject({
      name: "main",
      bind: "10.0.0.1",
      port: { number: 443, name: "https", protocol: "HTTPS" },
      tls: { mode: "MUTUAL", serverCertificate: "/c", caCertificates: "/ca" },
    });
  });

  it("may leave the selector out: it selects every gateway", () => {
    expect(check(http()).resources.gateways[0]?.spec.selector).toEqual({});
  });

  it.each(["HTTP2", "grpc", "GRPC-Web", "http_proxy", "TCP", "mongo"])("may have the protocol %s", (protocol) => {
    const text = server(`port: {number: 80, name: p, protocol: ${protocol}}\nhosts: ["*"]`);
    expect(findings(text)).toEqual([]);
    expect(check(text).resources.gateways[0]?.spec.servers[0]?.port.protocol).toBe(protocol.toUpperCase());
  });
});

describe("servers", () => {
  it.each([
    ["hosts: [a.com]", "6:5 error missing-field spec.servers[0].port"],
    ["port: {number: 80, name: a, protocol: HTTP}", "6:5 error missing-field spec.servers[0].hosts"],
    ["port: {number: 80, name: a, protocol: HTTP}\nhosts: []", "7:5 error empty-list spec.servers[0].hosts"],
    ["port: {number: 0, name: a, protocol: HTTP}\nhosts: [a.b]", "6:12 error out-of-range spec.servers[0].port.number"],
    [
      "port: {number: 65536, name: a, protocol: HTTP}\nhosts: [a.b]",
      "6:12 error out-of-range spec.servers[0].port.number",
    ],
    ["port: {number: 1.5, name: a, protocol: HTTP}\nhosts: [a.b]", "6:12 error wrong-type spec.servers[0].port.number"],
    [
      'port: {number: "80", name: a, protocol: HTTP}\nhosts: [a.b]',
      "6:12 error wrong-type spec.servers[0].port.number",
    ],
    ["port: {number: 80, protocol: HTTP}\nhosts: [a.b]", "6:5 error missing-field spec.servers[0].port.name"],
    [
      'port: {number: 80, name: "", protocol: HTTP}\nhosts: [a.b]',
      "6:24 error invalid-port-name spec.servers[0].port.name",
    ],
    [
      "port: {number: 80, name: a, protocol: HTTPP}\nhosts: [a.b]",
      "6:33 error invalid-value spec.servers[0].port.protocol",
    ],
    [
      "port: {number: 80, name: a, protocol: mysql}\nhosts: [a.b]",
      "6:33 error unsupported-value spec.servers[0].port.protocol",
    ],
    [
      "port: {number: 80, name: a, protocol: HTTP, targetPort: 1}\nhosts: [a.b]",
      "6:49 error unsupported-field spec.servers[0].port.targetPort",
    ],
  ])("%j gives %s", (lines, expected) => {
    expect(codes(server(lines))).toEqual([expected]);
    expect(check(server(lines)).resources.gateways).toEqual([]);
  });

  it("are needed", () => {
    expect(codes(istio("Gateway", "  servers: []\n"))).toEqual(["5:3 error empty-list spec.servers"]);
    expect(codes(istio("Gateway", "  selector: {a: b}\n"))).toEqual(["4:1 error missing-field spec.servers"]);
  });

  it("do not act on defaultEndpoint, which Istio does not either", () => {
    expect(codes(http("defaultEndpoint: 127.0.0.1:80"))).toEqual([
      "8:5 warning ignored-field spec.servers[0].defaultEndpoint",
    ]);
    expect(check(http("defaultEndpoint: 127.0.0.1:80")).resources.gateways).toHaveLength(1);
  });

  it("bind IP addresses only", () => {
    expect(codes(http("bind: unix:///run/x"))).toEqual(["8:5 error unsupported-value spec.servers[0].bind"]);
    expect(codes(http("bind: localhost"))).toEqual(["8:5 error invalid-address spec.servers[0].bind"]);
  });

  it("need their own port names, and should have their own names", () => {
    const one = (name: string) => `  - {name: ${name}, port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}\n`;
    expect(codes(istio("Gateway", `  servers:\n${one("a")}${one("a")}`))).toEqual([
      "7:6 warning duplicate-server-name spec.servers[1].name",
      "7:34 error duplicate-port-name spec.servers[1].port.name",
    ]);
  });

  it.each([
    ["short", "a name without a dot is not allowed in a Gateway"],
    ["shop/short", "a name without a dot is not allowed in a Gateway"],
    ["a*.com", "a partial wildcard is not allowed"],
    ["a.*.com", "a partial wildcard is not allowed"],
    ["*foo.com", "a partial wildcard is not allowed"],
    ["http://a.com", "a host has no scheme"],
    ["a.com:80", "a host has no port"],
    ["a.com.", "a host has no trailing dot"],
    ["-a.com", "this is not a DNS name"],
    ["a_b.com", "this is not a DNS name"],
    ["a..com", "this is not a DNS name"],
    ["1.2.3.400", "this is neither an IP address nor a DNS name"],
    ["[::1]", "an IPv6 address stands without brackets here"],
    ["shop/", "a host must not be empty"],
    ["SHOP/a.com", '"SHOP" is not a namespace'],
    ["~/a.com", '"~" is not a namespace'],
    ["a/b/c.com", "this is not a DNS name"],
    [`${"a".repeat(64)}.com`, "this is not a DNS name"],
  ])("do not have the host %s: %s", (host, reason) => {
    const text = server(`port: {number: 80, name: http, protocol: HTTP}\nhosts: ["*", ${JSON.stringify(host)}]`);
    expect(findings(text)).toHaveLength(1);
    expect(findings(text)[0]).toContain(
      `c.yaml:7:18 error invalid-host spec.servers[0].hosts[1]: ${JSON.stringify(host)}: ${reason}`,
    );
  });
});

describe("tls", () => {
  it("is needed for TLS protocols and forbidden for others but for a redirect", () => {
    expect(codes(server('port: {number: 443, name: s, protocol: TLS}\nhosts: ["*"]'))).toEqual([
      "6:5 error missing-tls spec.servers[0].tls",
    ]);
    expect(codes(http("tls: {httpsRedirect: true}"))).toEqual([]);
    expect(codes(http(`tls: {httpsRedirect: true, mode: SIMPLE, ${files}}`))).toEqual([
      "8:5 error tls-not-allowed spec.servers[0].tls",
    ]);
    expect(codes(https("httpsRedirect: true", "TCP"))).toEqual(["8:5 error tls-not-allowed spec.servers[0].tls"]);
  });

  it.each([
    ["mode: SIMPEL", "error invalid-value mode"],
    ["mode: AUTO_PASSTHROUGH", "error unsupported-value mode"],
    ["mode: ISTIO_MUTUAL", "error unsupported-value mode"],
    [`mode: SIMPLE, ${files}, httpsRedirect: true`, "warning ineffective-field httpsRedirect"],
    ["mode: SIMPLE, httpsRedirect: 'yes'", "error wrong-type httpsRedirect"],
    ["mode: SIMPLE, privateKey: /k", "error missing-certificate serverCertificate"],
    ["mode: SIMPLE, serverCertificate: /c", "error missing-certificate privateKey"],
    [
      "mode: SIMPLE, tlsCertificates: [{privateKey: /k}]",
      "error missing-certificate tlsCertificates[0].serverCertificate",
    ],
    [`mode: MUTUAL, ${files}`, "error missing-certificate caCertificates"],
    [`mode: OPTIONAL_MUTUAL, ${files}`, "error missing-certificate caCertificates"],
    [`mode: MUTUAL, tlsCertificates: [{${files}, caCertificates: /ca}]`, "error missing-certificate caCertificates"],
    [
      `mode: MUTUAL, tlsCertificates: [{${files}, caCertificates: /ca}], caCertificates: /ca`,
      "warning ineffective-field tlsCertificates[0].caCertificates",
    ],
    [
      `mode: SIMPLE, tlsCertificates: [{${files}, caCertificates: /ca}]`,
      "warning ineffective-field tlsCertificates[0].caCertificates",
    ],
    [
      `mode: MUTUAL, ${files}, caCertificates: /a, caCertCredentialName: b`,
      "warning ineffective-field caCertCredentialName",
    ],
    [`mode: SIMPLE, ${files}, credentialName: a`, "error conflicting-fields"],
    ["mode: SIMPLE, credentialName: a, credentialNames: [b]", "error conflicting-fields"],
    ["mode: SIMPLE, credentialNames: [a, b, c]", "error too-many-entries credentialNames"],
    ["mode: SIMPLE, credentialNames: []", "error empty-list credentialNames"],
    ["mode: SIMPLE, credentialName: a_b", "error invalid-credential-name credentialName"],
    ["mode: SIMPLE, credentialName: sds://a", "error invalid-credential-name credentialName"],
    ["mode: SIMPLE, credentialName: ns/a", "error invalid-credential-name credentialName"],
    ["mode: SIMPLE, credentialName: ../a", "error invalid-credential-name credentialName"],
    ["mode: SIMPLE, credentialNames: [a, B]", "error invalid-credential-name credentialNames[1]"],
    [`mode: SIMPLE, ${files}, caCrl: /r`, "error conflicting-fields caCrl"],
    ["mode: MUTUAL, credentialName: a, caCrl: /r", "error conflicting-fields caCrl"],
    [`mode: SIMPLE, ${files}, subjectAltNames: [a]`, "warning ineffective-field subjectAltNames"],
    [`mode: SIMPLE, ${files}, caCertificates: /ca`, "warning ineffective-field caCertificates"],
    ["credentialName: a", "warning ineffective-field credentialName"],
    [
      `mode: SIMPLE, ${files}, minProtocolVersion: TLSV1_3, maxProtocolVersion: TLSV1_2`,
      "error invalid-tls-versions maxProtocolVersion",
    ],
    [`mode: SIMPLE, ${files}, maxProtocolVersion: TLSV1_1`, "error invalid-tls-versions maxProtocolVersion"],
    [`mode: SIMPLE, ${files}, minProtocolVersion: TLSV1_1`, "warning weak-tls-version minProtocolVersion"],
    [
      `mode: MUTUAL, credentialName: a, verifyCertificateSpki: [abc]`,
      "error invalid-certificate-pin verifyCertificateSpki[0]",
    ],
    [
      `mode: MUTUAL, credentialName: a, verifyCertificateHash: ["aa:bb"]`,
      "error invalid-certificate-pin verifyCertificateHash[0]",
    ],
    [
      `mode: SIMPLE, ${files}, cipherSuites: [ECDHE-RSA-AES128-GCM-SHA25]`,
      "warning unknown-cipher-suite cipherSuites[0]",
    ],
    [`mode: SIMPLE, ${files}, ecdhCurves: [P-256, P-999]`, "warning unknown-ecdh-curve ecdhCurves[1]"],
    [`mode: SIMPLE, ${files}, certificate: x`, "error unknown-field certificate"],
  ])("{%s} gives %s", (tls, expected) => {
    const [severity, code, field] = expected.split(" ");
    const found = check(https(tls)).diagnostics;
    const path = `spec.servers[0].tls${field === undefined ? "" : `.${field}`}`;
    expect(found.map((d) => [d.line, d.severity, d.code, d.path])).toEqual([[8, severity, code, path]]);
    expect(check(https(tls)).resources.gateways).toHaveLength(severity === "error" ? 0 : 1);
  });

  it.each([
    "mode: SIMPLE, credentialName: a",
    "mode: SIMPLE, credentialName: kubernetes://ns/a",
    "mode: SIMPLE, credentialName: kubernetes-gateway://ns/a.b",
    "mode: MUTUAL, credentialNames: [a, b], caCertCredentialName: configmap://ns/ca",
    `mode: SIMPLE, tlsCertificates: [{${files}}, {${files}}]`,
    `mode: MUTUAL, tlsCertificates: [{${files}}], caCertificates: /ca`,
    `mode: OPTIONAL_MUTUAL, ${files}, caCertificates: /ca, caCrl: /r, insecureSkipVerify: true`,
    `mode: MUTUAL, credentialName: a, verifyCertificateSpki: ["${"A".repeat(43)}="], verifyCertificateHash: ["${"ab".repeat(32)}", "${Array(32).fill("AB").join(":")}"]`,
    `mode: SIMPLE, ${files}, minProtocolVersion: TLSV1_0, cipherSuites: [AES128-SHA]`,
    `mode: SIMPLE, ${files}, minProtocolVersion: TLS_AUTO, maxProtocolVersion: TLS_AUTO`,
    "mode: PASSTHROUGH",
  ])("{%s} is in order", (tls) => {
    expect(findings(https(tls))).toEqual([]);
  });

  it("loses unknown and repeated cipher suites and keeps the others in order", () => {
    const suites = "[ECDHE-RSA-AES256-GCM-SHA384, nonsense, ECDHE-RSA-AES128-GCM-SHA256, ECDHE-RSA-AES256-GCM-SHA384]";
    const { resources, diagnostics } = check(https(`mode: SIMPLE, ${files}, cipherSuites: ${suites}`));
    expect(diagnostics.map(({ message }) => message)).toEqual([
      '"nonsense" is not known to this machine\'s OpenSSL; it is dropped',
      '"ECDHE-RSA-AES256-GCM-SHA384" is named twice; it is dropped',
    ]);
    expect(resources.gateways[0]?.spec.servers[0]?.tls?.cipherSuites).toEqual([
      "ECDHE-RSA-AES256-GCM-SHA384",
      "ECDHE-RSA-AES128-GCM-SHA256",
    ]);
  });

  it("says what a mode that is missing does", () => {
    expect(findings(https("credentialName: a"))).toEqual([
      'c.yaml:8:11 warning ineffective-field spec.servers[0].tls.credentialName: credentialName has no effect: without a mode, TLS is passed through: in the mode PASSTHROUGH the connection is not decrypted here (Is "mode: SIMPLE" missing?)',
    ]);
  });
});
