// What DestinationRules, ServiceEntries and WorkloadEntries say about each other.
import { describe, expect, it } from "vitest";
import { check, toLine } from "./support.ts";

/** Documents of Istio's kinds in namespace `shop`, one a line, as `Kind name {spec}`; a Service `cart` stands beside them. */
function found(...documents: readonly string[]): string[] {
  const istio = documents.map((line) => {
    const [, kind = "", name = "", spec = ""] = /^(\w+) (\S+) (.*)$/.exec(line) ?? [];
    const apiVersion = kind === "Service" ? "v1" : "networking.istio.io/v1";
    return `{apiVersion: ${apiVersion}, kind: ${kind}, metadata: {name: ${name}, namespace: shop}, spec: ${spec}}`;
  });
  const cart =
    "{apiVersion: v1, kind: Service, metadata: {name: cart, namespace: shop}, spec: {ports: [{name: http, port: 80}]}}";
  const { diagnostics } = check([...istio, cart].join("\n---\n"));
  return diagnostics.filter(({ code }) => code !== "unknown-gateway").map((one) => toLine(one).replace(/^\S+ /, ""));
}

function route(subset: string, host = "cart"): string {
  return `VirtualService vs {hosts: [a.com], gateways: [gw], http: [{route: [{destination: {host: ${host}, subset: ${subset}}}]}]}`;
}

describe("a subset in a route", () => {
  const path = "spec.http[0].route[0].destination.subset";

  it("is found in a rule for the host, by any of its names, or for a wildcard", () => {
    for (const host of ["cart", "Cart.shop.svc.cluster.local", "'*.shop.svc.cluster.local'", "'*'"]) {
      expect(found(route("v1"), `DestinationRule a {host: ${host}, subsets: [{name: v1}]}`)).toEqual([]);
    }
  });

  it("is found in any of several rules for one host", () => {
    const rules = [
      "DestinationRule a {host: cart, subsets: [{name: v1}]}",
      "DestinationRule b {host: cart, subsets: [{name: v2}]}",
    ];
    expect(found(route("v2"), ...rules)).toEqual([]);
  });

  it("that no rule has is a warning with what there is", () => {
    const rule = "DestinationRule a {host: cart, subsets: [{name: stable}, {name: canary}]}";
    const unknown = (subset: string) =>
      `warning unknown-subset ${path}: no DestinationRule defines subset "${subset}" of "cart"`;
    expect(found(route("v1"))).toEqual([
      `${unknown("v1")} (Define it under subsets of a DestinationRule for the host.)`,
    ]);
    expect(found(route("canry"), rule)).toEqual([`${unknown("canry")} (Did you mean "canary"?)`]);
    expect(found(route("v1"), rule)).toEqual([`${unknown("v1")} (Its subsets are canary, stable.)`]);
  });

  it("is not looked for in a wider rule where a narrower one exists, as the compiler does not", () => {
    const rules = [
      "DestinationRule a {host: '*.local', subsets: [{name: v1}]}",
      "DestinationRule b {host: cart, subsets: [{name: v2}]}",
    ];
    expect(found(route("v1"), ...rules)).toHaveLength(1);
  });

  it("is not looked for in a rule that the gateway does not see", () => {
    expect(found(route("v1"), "DestinationRule a {host: cart, exportTo: [.], subsets: [{name: v1}]}")).toHaveLength(1);
  });

  it("is no second finding where the rule has errors itself", () => {
    const lines = found(route("v1"), "DestinationRule a {host: cart, subsets: [{name: v1, labels: 3}]}");
    expect(lines).toEqual([expect.stringContaining("error wrong-type spec.subsets[0].labels")]);
  });
});

describe("ServiceEntries of one host", () => {
  const entry = (name: string, hosts: string, port: string) =>
    `ServiceEntry ${name} {hosts: ${hosts}, resolution: DNS, ports: [${port}]}`;

  it("that disagree on a port's protocol are named", () => {
    expect(
      found(
        entry("a", "[a.com, b.com]", "{number: 80, name: http, protocol: HTTP}"),
        entry("b", "[B.com]", "{number: 80, name: tcp, protocol: TCP}"),
        entry("c", "[b.com]", "{number: 81, name: tcp, protocol: TCP}"),
        entry("d", "[c.com]", "{number: 80, name: tcp}"),
      ),
    ).toEqual([
      'warning conflicting-protocols spec.ports[0].protocol: port 80 has the protocol "TCP" here and "HTTP" in ServiceEntry shop/a (c.yaml:1:143) (Let both say what the upstream speaks.)',
    ]);
  });
});

describe("a workloadSelector", () => {
  const entry = (resolution: string) =>
    `ServiceEntry a {hosts: [a.com], resolution: ${resolution}, workloadSelector: {labels: {app: vm}}, ports: [{number: 80, name: http}]}`;

  it("that picks nothing is a warning", () => {
    expect(found(entry("STATIC"), "WorkloadEntry db {address: 10.0.0.1, labels: {app: db}}")).toEqual([
      "warning empty-selector spec.workloadSelector.labels: no WorkloadEntry or Pod in namespace shop has app=vm: there are no endpoints",
    ]);
    expect(found(entry("STATIC"), "WorkloadEntry vm {address: 10.0.0.1, labels: {app: vm}}")).toEqual([]);
  });

  it.each([
    ["STATIC", "vm.example", "which looks no names up"],
    ["DNS", "unix:///run/vm.sock", "which is for names"],
  ])("with %s that picks %s is a warning at the workload", (resolution, address, why) => {
    expect(found(entry(resolution), `WorkloadEntry vm {address: "${address}", labels: {app: vm}}`)).toEqual([
      `warning unusable-workload spec.address: "${address}" is left out: ServiceEntry shop/a has the resolution ${resolution}, ${why}`,
    ]);
  });

  it("of a Service picks no names either", () => {
    const service = "Service web {selector: {app: vm}, ports: [{port: 80}]}";
    expect(found(service, "WorkloadEntry vm {address: vm.example, labels: {app: vm}}")).toEqual([
      'warning unusable-workload spec.address: "vm.example" is left out: Service shop/web looks no names up',
    ]);
  });
});

describe("a destination that is another name of a service", () => {
  const alias = "Service alias {type: ExternalName, externalName: cart.shop.svc.cluster.local}";
  const to = (port: string) =>
    `VirtualService vs {hosts: [a.com], gateways: [gw], http: [{route: [{destination: {host: alias${port}}}]}]}`;

  it("has that service's subsets, and its rules instead of its own", () => {
    const subsets = "subsets: [{name: v1}]";
    const toSubset = route("v1", "alias");
    expect(found(alias, toSubset, `DestinationRule a {host: cart, ${subsets}}`)).toEqual([]);
    expect(found(alias, toSubset, `DestinationRule a {host: alias, ${subsets}}`)).toEqual([
      expect.stringContaining("warning unknown-subset"),
      'warning unused-destination-rule spec.host: "alias" is another name of "cart.shop.svc.cluster.local", whose rules are used: nothing of this rule is (Write host: cart.shop.svc.cluster.local.)',
    ]);
  });

  it("has that service's ports", () => {
    expect(found(alias, to(""))).toEqual([]);
    expect(found(alias, to(", port: {number: 81}"))).toEqual([expect.stringContaining("has no port 81 (It has 80.)")]);
  });
});
