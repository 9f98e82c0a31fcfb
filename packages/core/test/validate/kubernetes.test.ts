import { describe, expect, it } from "vitest";
import { check, codes, findings } from "./support.ts";

/** The fields start on line 4. */
function document(kind: string, fields: string): string {
  const apiVersion = kind === "EndpointSlice" ? "discovery.k8s.io/v1" : "v1";
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: a}\n${fields}\n`;
}

describe("a Service", () => {
  it("is read as Kubernetes prints it", () => {
    const text = document(
      "Service",
      "spec:\n  type: ClusterIP\n  clusterIP: 10.0.0.1\n  sessionAffinity: None\n  selector: {app: a}\n  ports:\n  - {name: http, port: 80, targetPort: web, protocol: TCP, nodePort: 30000, appProtocol: http}\n  - {name: dns, port: 80, targetPort: 53, protocol: UDP}\nstatus: {loadBalancer: {}}",
    );
    expect(findings(text)).toEqual([]);
    expect(check(text).resources.services[0]?.spec).toEqual({
      selector: { app: "a" },
      ports: [
        { name: "http", port: 80, targetPort: "web", protocol: "TCP", appProtocol: "http" },
        { name: "dns", port: 80, targetPort: 53, protocol: "UDP" },
      ],
    });
  });

  it.each([
    ["spec: {type: ExternalName}", "4:1 error missing-field spec.externalName"],
    ["spec: {type: ExternalName, externalName: 'a b'}", "4:28 error invalid-host spec.externalName"],
    ["spec: {type: ExternalName, externalName: '*.a.com'}", "4:28 error invalid-host spec.externalName"],
    ["spec: {ports: [{name: a}]}", "4:16 error missing-field spec.ports[0].port"],
    [
      "spec: {ports: [{port: 80}, {port: 81}]}",
      "4:16 error invalid-port-name spec.ports[0].name,4:28 error invalid-port-name spec.ports[1].name",
    ],
    ["spec: {ports: [{port: 80, name: A}]}", "4:27 error invalid-port-name spec.ports[0].name"],
    ["spec: {ports: [{port: 80, name: a}, {port: 81, name: a}]}", "4:48 error duplicate-port-name spec.ports[1].name"],
    ["spec: {ports: [{port: 80, name: a}, {port: 80, name: b}]}", "4:38 error duplicate-port spec.ports[1].port"],
    ["spec: {ports: [{port: 80, targetPort: []}]}", "4:27 error wrong-type spec.ports[0].targetPort"],
    ["spec: {ports: [{port: 80, targetPort: 70000}]}", "4:27 error out-of-range spec.ports[0].targetPort"],
    ["spec: {ports: {port: 80}}", "4:8 error wrong-type spec.ports"],
    ["spec: {selector: {a: 1}}", "4:19 error wrong-type spec.selector.a"],
    ["", "1:1 error missing-field spec"],
  ])("with %j gives %s", (fields, expected) => {
    expect(codes(document("Service", fields)).join()).toBe(expected);
    expect(check(document("Service", fields)).resources.services).toEqual([]);
  });
});

describe("the name of a Service", () => {
  it("has no dot, so that it cannot pass for another host", () => {
    const text = "apiVersion: v1\nkind: Service\nmetadata: {name: api.example.com}\nspec: {ports: [{port: 80}]}\n";
    expect(codes(text)).toEqual(["3:12 error invalid-name metadata.name"]);
  });
});

describe("Endpoints", () => {
  it("are read with their addresses and ports", () => {
    const text = document(
      "Endpoints",
      "subsets:\n- addresses: [{ip: 10.0.0.1, nodeName: n}]\n  notReadyAddresses: [{ip: 'fd00::1'}]\n  ports: [{name: http, port: 80, protocol: TCP}]",
    );
    expect(findings(text)).toEqual([]);
    expect(check(text).resources.endpoints[0]?.spec.subsets).toEqual([
      {
        addresses: [{ ip: "10.0.0.1", nodeName: "n" }],
        notReadyAddresses: [{ ip: "fd00::1" }],
        ports: [{ name: "http", port: 80 }],
      },
    ]);
  });

  it("may be empty", () => {
    expect(check(document("Endpoints", "")).resources.endpoints[0]?.spec).toEqual({ subsets: [] });
    expect(check(document("Endpoints", "subsets: null")).resources.endpoints[0]?.spec).toEqual({ subsets: [] });
  });

  it("have addresses that are IP addresses", () => {
    expect(
      codes(document("Endpoints", "subsets: [{addresses: [{ip: a.com}], notReadyAddresses: [{ip: 1.2.3}]}]")),
    ).toEqual([
      "4:25 error invalid-address subsets[0].addresses[0].ip",
      "4:59 error invalid-address subsets[0].notReadyAddresses[0].ip",
    ]);
  });
});

describe("an EndpointSlice", () => {
  it("is read with conditions that are not known", () => {
    const text = document(
      "EndpointSlice",
      "addressType: IPv4\nendpoints:\n- addresses: [10.0.0.1]\n  conditions: {ready: null, serving: true}\n- addresses: [10.0.0.2]\n  conditions: {ready: false}\nports: [{name: null, port: 80, protocol: TCP}]",
    );
    expect(findings(text)).toEqual([]);
    const spec = check(text).resources.endpointSlices[0]?.spec;
    expect(spec?.endpoints.map(({ conditions }) => conditions?.ready ?? null)).toEqual([null, false]);
    expect(spec?.ports?.[0]?.port).toBe(80);
  });

  it("may be empty", () => {
    expect(
      check(document("EndpointSlice", "addressType: IPv4\nendpoints: null")).resources.endpointSlices[0]?.spec
        .endpoints,
    ).toEqual([]);
  });

  it.each([
    ["endpoints: [{addresses: [a]}]", "4:26 error invalid-address endpoints[0].addresses[0]"],
    ["endpoints: [{addresses: []}]", "4:14 error empty-list endpoints[0].addresses"],
    ["addressType: FQDN", "4:1 error unsupported-value addressType"],
    ["addressType: IPv5", "4:1 error invalid-value addressType"],
  ])("with %j gives %s", (fields, expected) => {
    expect(codes(document("EndpointSlice", fields))).toEqual([expected]);
  });
});

describe("a Service of type ExternalName", () => {
  it("stands for its name, which on other types is left over", () => {
    const spec = (type: string) =>
      check(document("Service", `spec: {type: ${type}, externalName: a.com, ports: [{port: 80}]}`)).resources
        .services[0]?.spec.externalName;
    expect(spec("ExternalName")).toBe("a.com");
    expect(spec("ClusterIP")).toBeUndefined();
  });
});

describe("a Pod", () => {
  it("is read as Kubernetes prints it: labels, address, node and whether it is ready", () => {
    const text =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {app: a}, ownerReferences: [{kind: ReplicaSet}]}\nspec: {nodeName: n, containers: [{name: c, image: i}]}\nstatus: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}], conditions: [{type: Initialized, status: 'True'}, {type: Ready, status: 'False', reason: x}]}\n";
    expect(findings(text)).toEqual([]);
    const [pod] = check(text).resources.pods;
    expect(pod?.labels).toEqual({ app: "a" });
    expect(pod?.spec).toEqual({ ip: "10.0.0.1", nodeName: "n", isReady: false });
  });

  it("may be one that has not started", () => {
    expect(findings(document("Pod", "spec: {containers: []}"))).toEqual([]);
    expect(check(document("Pod", "status: {podIP: ''}")).resources.pods[0]?.spec.ip).toBeUndefined();
  });

  it("has an address that is one", () => {
    expect(codes(document("Pod", "status: {podIP: a.com}"))).toEqual(["4:10 error invalid-address status.podIP"]);
  });
});

describe("a Secret", () => {
  it("is decoded; stringData wins", () => {
    const text = document(
      "Secret",
      "type: kubernetes.io/tls\ndata:\n  a: aGVs\n  b: |\n    aGVs\n    bG8=\n  c: ''\n  d: aGVs\nstringData: {d: x}",
    );
    expect(findings(text)).toEqual([]);
    expect(check(text).resources.secrets[0]?.spec.values).toEqual({ a: "hel", b: "hello", c: "", d: "x" });
  });

  it("may be empty", () => {
    expect(check(document("Secret", "data: null")).resources.secrets[0]?.spec.values).toEqual({});
  });

  it.each(["hunter2!", "aGVsbG8", "aGVsbG8==", "aG=s", "====", "aGVs bG8="])(
    "with %j for base64 is refused",
    (value) => {
      expect(codes(document("Secret", `data:\n  tls.key: ${JSON.stringify(value)}`))).toEqual([
        '5:3 error invalid-base64 data["tls.key"]',
      ]);
    },
  );

  it.each([
    "data: {tls.key: hunter2!}",
    "data: {tls.key: 7357}",
    "data: {tls.key: [hunter2]}",
    "data: [hunter2]",
    "data: hunter2",
    "stringData: {tls.key: {hunter2: 7357}}",
    "stringData: {tls.key: 7357}",
    "data: {tls.key: *hunter2}",
    "metadata: hunter2",
    "stringData: {a: hunter2, a: hunter2}",
  ])("with {%s} does not show a value in a finding", (fields) => {
    const { diagnostics } = check(document("Secret", fields));
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(JSON.stringify(diagnostics)).not.toMatch(/hunter2|7357/);
  });

  it("whose key has the name of something that objects inherit keeps its value", () => {
    expect(check(document("Secret", "stringData: {constructor: a}")).resources.secrets[0]?.spec.values).toEqual({
      constructor: "a",
    });
  });
});

describe("a ConfigMap", () => {
  it("is read as written", () => {
    const text = document("ConfigMap", "data: {ca.crt: pem}\nbinaryData: {a: aGVs}\nimmutable: true");
    expect(findings(text)).toEqual([]);
    expect(check(text).resources.configMaps[0]?.spec.values).toEqual({ "ca.crt": "pem" });
  });

  it("holds texts only", () => {
    expect(codes(document("ConfigMap", "data: {a: 1}"))).toEqual(["4:8 error wrong-type data.a"]);
  });
});
