import { describe, expect, it } from "vitest";
import { check, codes, findings, istio } from "./support.ts";

/** The fields start on line 5; `hosts` and `ports` stand on lines 5 and 6. */
function entry(lines: string): string {
  return istio(
    "ServiceEntry",
    `  hosts: [a.com]\n  ports: [{number: 80, name: http, protocol: http}]\n  ${lines.trim().replaceAll("\n", "\n  ")}\n`,
  );
}

const dns = "resolution: DNS\n";

describe("a correct ServiceEntry", () => {
  it("is read without a finding", () => {
    const text = istio(
      "ServiceEntry",
      "  hosts: [a.com, '*.b.com']\n  addresses: [10.0.0.1, 10.1.0.0/16]\n  location: MESH_EXTERNAL\n  resolution: STATIC\n  exportTo: ['*']\n  ports:\n  - {number: 80, name: http, protocol: http, targetPort: 8080}\n  endpoints:\n  - {address: 10.0.0.2, ports: {http: 9090}, labels: {a: b}, weight: 3}\n",
    );
    expect(findings(text)).toEqual([]);
    expect(check(text).resources.serviceEntries[0]?.spec).toMatchObject({
      hosts: ["a.com", "*.b.com"],
      ports: [{ number: 80, name: "http", protocol: "HTTP", targetPort: 8080 }],
      endpoints: [{ address: "10.0.0.2", ports: { http: 9090 }, weight: 3 }],
    });
  });
});

describe("a ServiceEntry", () => {
  it.each([
    ["location: MESH_EXTERNAL", "4:1 error missing-resolution spec.resolution"],
    ["resolution: NONE", "7:3 error unsupported-value spec.resolution"],
    [
      "resolution: DNS_ROUND_ROBIN\nendpoints: [{address: a.com}, {address: b.com}]",
      "8:33 error too-many-entries spec.endpoints[1]",
    ],
    ["resolution: DYNAMIC_DNS", "7:3 error unsupported-value spec.resolution"],
    ["resolution: STATC", "7:3 error invalid-value spec.resolution"],
    ["resolution: 3", "7:3 error wrong-type spec.resolution"],
    ["resolution: STATIC", "4:1 error missing-endpoints spec.endpoints"],
    [
      "resolution: DNS_ROUND_ROBIN\nworkloadSelector: {labels: {a: b}}",
      "8:3 error conflicting-fields spec.workloadSelector",
    ],
    [`${dns}workloadSelector: {}`, "8:3 warning missing-labels spec.workloadSelector.labels"],
    [`${dns}workloadSelector: {labels: {a b: c}}`, '8:31 error invalid-label spec.workloadSelector.labels["a b"]'],
    [
      `${dns}workloadSelector: {labels: {a: b}}\nendpoints: [{address: a.com}]`,
      "8:3 error conflicting-fields spec.workloadSelector",
    ],
    [`${dns}addresses: [a]`, "8:15 error invalid-address spec.addresses[0]"],
    [`${dns}addresses: [10.0.0.0/8]`, "8:15 error invalid-address spec.addresses[0]"],
    [
      "resolution: STATIC\naddresses: [10.0.0.0/33]\nendpoints: [{address: 10.0.0.1}]",
      "8:15 error invalid-address spec.addresses[0]",
    ],
    ["resolution: STATIC\nendpoints: [{address: a.com}]", "8:16 error invalid-address spec.endpoints[0].address"],
    [`${dns}endpoints: [{address: "*.a.com"}]`, "8:16 error invalid-address spec.endpoints[0].address"],
    [`${dns}endpoints: [{address: "unix:///run/x"}]`, "8:16 error invalid-address spec.endpoints[0].address"],
    [`${dns}endpoints: [{address: ""}]`, "8:16 error empty-value spec.endpoints[0].address"],
    [`${dns}endpoints: [{}]`, "8:15 error missing-field spec.endpoints[0].address"],
    [
      `${dns}endpoints: [{address: a.com, ports: {htp: 1}}]`,
      "8:40 error unknown-port-name spec.endpoints[0].ports.htp",
    ],
    [`${dns}endpoints: [{address: a.com, ports: {http: 0}}]`, "8:40 error out-of-range spec.endpoints[0].ports.http"],
    [`${dns}endpoints: [{address: a.com, weight: -1}]`, "8:32 error out-of-range spec.endpoints[0].weight"],
    [`${dns}endpoints: [{address: a.com, locality: r//z}]`, "8:32 error invalid-locality spec.endpoints[0].locality"],
    [`${dns}endpoints: [{address: a.com, locality: r/*}]`, "8:32 error invalid-locality spec.endpoints[0].locality"],
    [`${dns}endpoints: [{address: a.com, labels: {a: b c}}]`, "8:41 error invalid-label spec.endpoints[0].labels.a"],
    ["resolution: STATIC\nendpoints: [{address: 'unix://x'}]", "8:16 error invalid-address spec.endpoints[0].address"],
    [
      "resolution: STATIC\nendpoints: [{address: 'unix:///x/'}]",
      "8:16 error invalid-address spec.endpoints[0].address",
    ],
    ["resolution: STATIC\nendpoints: [{address: 'unix://@'}]", "8:16 error invalid-address spec.endpoints[0].address"],
    [
      "resolution: STATIC\nendpoints: [{address: 'unix:///x', ports: {http: 1}}]",
      "8:38 error conflicting-fields spec.endpoints[0].ports",
    ],
    [`${dns}endpoints: [{address: a.com, network: n}]`, "8:32 warning ignored-field spec.endpoints[0].network"],
    [
      `${dns}endpoints: [{address: a.com, serviceAccount: n}]`,
      "8:32 warning ignored-field spec.endpoints[0].serviceAccount",
    ],
    [`${dns}endpoint: []`, "8:3 error unknown-field spec.endpoint"],
    [`${dns}exportTo: ["~", "."]`, "8:14 error invalid-export-to spec.exportTo[0]"],
  ])("with %j gives %s", (lines, expected) => {
    expect(codes(entry(lines))).toEqual([expected]);
    expect(check(entry(lines)).resources.serviceEntries).toHaveLength(expected.includes("warning") ? 1 : 0);
  });

  it.each([
    ["[]", "5:3 error empty-list spec.hosts"],
    ["['*']", "5:11 error invalid-host spec.hosts[0]"],
    ["['*.a.com']", "5:11 error missing-endpoints spec.hosts[0]"],
    ["[a.com, A.com]", "5:18 error duplicate-host spec.hosts[1]"],
    ["['a b']", "5:11 error invalid-host spec.hosts[0]"],
    [`[${Array.from({ length: 257 }, (_, i) => `h${i}.com`).join(", ")}]`, "5:3 error too-many-entries spec.hosts"],
  ])("with the hosts %s gives %s", (hosts, expected) => {
    expect(codes(istio("ServiceEntry", `  hosts: ${hosts}\n  resolution: DNS\n`))).toEqual([expected]);
  });

  it.each([
    ["{number: 80, name: a}, {number: 80, name: b}", "5:35 error duplicate-port spec.ports[1].number"],
    ["{number: 80, name: a}, {number: 81, name: a}", "5:47 error duplicate-port-name spec.ports[1].name"],
    ["{number: 80, name: ''}", "5:24 error invalid-port-name spec.ports[0].name"],
    ["{number: 80, name: a_b}", "5:24 error invalid-port-name spec.ports[0].name"],
    ["{number: 0, name: a}", "5:12 error out-of-range spec.ports[0].number"],
    ["{number: 80, name: a, protocol: SPDY}", "5:33 error invalid-value spec.ports[0].protocol"],
    ["{number: 80, name: a, targetPort: 65536}", "5:33 error out-of-range spec.ports[0].targetPort"],
  ])("with the ports %s gives %s", (ports, expected) => {
    const text = istio("ServiceEntry", `  ports: [${ports}]\n  hosts: [a.com]\n  resolution: DNS\n`);
    expect(codes(text)).toEqual([expected]);
  });
});

describe("a WorkloadEntry", () => {
  it("is read with all that says where it is", () => {
    const text = istio(
      "WorkloadEntry",
      "  {address: a.com, ports: {http: 8080}, labels: {app: a}, locality: r/z/s, weight: 2}\n",
    );
    expect(findings(text)).toEqual([]);
    expect(check(text).resources.workloadEntries[0]?.spec).toEqual({
      address: "a.com",
      ports: { http: 8080 },
      labels: { app: "a" },
      locality: "r/z/s",
      weight: 2,
    });
  });

  it.each([
    ["{address: 10.0.0.1}", "4:1 warning missing-labels spec.labels"],
    ["{address: '', labels: {a: b}}", "5:4 error empty-value spec.address"],
    ["{labels: {a: b}}", "4:1 error missing-field spec.address"],
    ["{address: a b, labels: {a: b}}", "5:4 error invalid-address spec.address"],
    ["{address: 'unix:///x', ports: {a: 1}, labels: {a: b}}", "5:26 error conflicting-fields spec.ports"],
    ["{address: a.com, labels: {a: b}, network: n}", "5:36 warning ignored-field spec.network"],
    ["{address: a.com, labels: {a: b}, serviceAccount: n}", "5:36 warning ignored-field spec.serviceAccount"],
  ])("with %s gives %s", (spec, expected) => {
    expect(codes(istio("WorkloadEntry", `  ${spec}\n`))).toEqual([expected]);
  });
});
