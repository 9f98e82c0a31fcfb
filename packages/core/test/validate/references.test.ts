import { describe, expect, it } from "vitest";
import { check, toLine } from "./support.ts";

const world = `
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: multi, namespace: shop}
spec: {ports: [{name: http, port: 8080}, {name: admin, port: 9000}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ext, namespace: shop}
spec: {hosts: [api.example.com], resolution: DNS, ports: [{name: tls, number: 443}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: edge}
spec:
  servers:
  - {port: {number: 80, name: a, protocol: HTTP}, hosts: ["*.shop.com", "edge/only-edge.com", "./dot.com"]}
  - {port: {number: 81, name: b, protocol: HTTP}, hosts: ["shop/mine.com", "short.shop.svc.cluster.local"]}
`;

/** Warnings about one VirtualService in \`shop\`; its spec is on line 1 of the file, and the lines are left out. */
function warnings(spec: string): string[] {
  const text = `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: vs, namespace: shop}, spec: ${spec}}\n---${world}`;
  return check(text).diagnostics.map(({ severity, code, path, message, hint }) => {
    expect(severity).toBe("warning");
    return `${code} ${path}: ${message}${hint === undefined ? "" : ` (${hint})`}`;
  });
}

function to(destination: string): string {
  return `{hosts: [a.shop.com], gateways: [edge/public], http: [{route: [{destination: ${destination}}]}]}`;
}

function bound(hosts: string, gateways: string): string {
  return `{hosts: ${hosts}, gateways: ${gateways}, http: [{route: [{destination: {host: cart}}]}]}`;
}

describe("a destination that the gateway does not see", () => {
  const entry = (name: string, namespace: string, exportTo: string) =>
    `\n---\n{apiVersion: networking.istio.io/v1, kind: ServiceEntry, metadata: {name: ${name}, namespace: ${namespace}}, spec: {hosts: [a.example], exportTo: ${exportTo}, resolution: DNS, ports: [{name: http, number: 80}]}}`;
  const route = (entries: string) =>
    check(
      `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: vs, namespace: hidden}, spec: ${to("{host: a.example}")}}\n---${world}${entries}`,
    ).diagnostics.map(({ code, message }) => `${code}: ${message}`);
  const unseen = (audience: string) =>
    `unknown-host: "a.example" exists in namespace hidden, but is exported to ${audience}, not to edge, where the gateway runs`;

  it("is reported with where it is and to whom it is exported", () => {
    expect(route(entry("a", "hidden", '["."]'))).toEqual([unseen(". only")]);
    expect(route(entry("a", "hidden", "[shop, pay]"))).toEqual([unseen("shop, pay only")]);
    expect(route(entry("a", "hidden", '["~"]'))).toEqual([unseen("nobody")]);
  });

  it("is none when it is exported to the gateway's namespace, or somebody else exports the same host", () => {
    expect(route(entry("a", "hidden", "[edge]"))).toEqual([]);
    expect(route(entry("a", "hidden", '["."]') + entry("b", "shop", '["*"]'))).toEqual([]);
  });
});

describe("destinations", () => {
  it.each([
    "{host: cart}",
    "{host: cart, port: {number: 80}}",
    "{host: cart.shop.svc.cluster.local}",
    "{host: CART.shop.svc.cluster.local}",
    "{host: multi, port: {number: 9000}}",
    "{host: api.example.com, port: {number: 443}}",
  ])("%s is found", (destination) => {
    expect(warnings(to(destination))).toEqual([]);
  });

  const host = "spec.http[0].route[0].destination.host";

  it.each([
    ["{host: cert}", `unknown-host ${host}: "cert" is no known service (Did you mean "cart.shop.svc.cluster.local"?)`],
    [
      "{host: cart.shp}",
      `unknown-host ${host}: "cart.shp" is no known service (Did you mean "cart.shop.svc.cluster.local"?)`,
    ],
    [
      "{host: cart.shop}",
      `unknown-host ${host}: "cart.shop" is no known service (Did you mean "cart.shop.svc.cluster.local"?)`,
    ],
    [
      "{host: api.exmaple.com}",
      `unknown-host ${host}: "api.exmaple.com" is no known service (Did you mean "api.example.com"?)`,
    ],
    ["{host: payments}", `unknown-host ${host}: "payments" is no known service`],
  ])("%s is not: %s", (destination, expected) => {
    expect(warnings(to(destination))).toEqual([expected]);
  });

  it("in another namespace are suggested by their full name", () => {
    const spec = "{hosts: [a.b], gateways: [edge/public], http: [{route: [{destination: {host: cart}}]}]}";
    const text = `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: vs}, spec: ${spec}}\n---${world}`;
    expect(check(text).diagnostics.find(({ code }) => code === "unknown-host")?.hint).toBe(
      'Did you mean "cart.shop.svc.cluster.local"?',
    );
  });

  it("with a port that the service does not have list its ports", () => {
    expect(warnings(to("{host: multi, port: {number: 80}}"))).toEqual([
      "unknown-port spec.http[0].route[0].destination.port.number: multi.shop.svc.cluster.local has no port 80 (It has 8080, 9000.)",
    ]);
  });

  it("without a port need a service with one", () => {
    expect(warnings(to("{host: multi}"))).toEqual([
      "ambiguous-port spec.http[0].route[0].destination.port: multi.shop.svc.cluster.local has 2 ports, and none is named here; the port of the listener is taken (Name the port. It has 8080, 9000.)",
    ]);
  });

  it("point at their line", () => {
    const text = `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: vs, namespace: shop}\nspec:\n  hosts: [a.shop.com]\n  gateways: [edge/public]\n  http:\n  - route:\n    - destination:\n        host: cart.shp\n---${world}`;
    expect(check(text).diagnostics.map(toLine)).toEqual([
      'c.yaml:10:9 warning unknown-host spec.http[0].route[0].destination.host: "cart.shp" is no known service (Did you mean "cart.shop.svc.cluster.local"?)',
    ]);
  });
});

describe("gateways", () => {
  it.each(["edge/public", "public.edge", "public.edge.svc.cluster.local"])("%s is found", (name) => {
    const found = warnings(bound("[a.shop.com]", `[${name}]`));
    expect(found.filter((line) => !line.startsWith("legacy-gateway-name"))).toEqual([]);
  });

  it("that do not exist are named with a near one", () => {
    expect(warnings(bound("[a.shop.com]", "[edge/pulbic, public, other]"))).toEqual([
      'unknown-gateway spec.gateways[0]: there is no Gateway "edge/pulbic" (Did you mean "edge/public"?)',
      'unknown-gateway spec.gateways[1]: there is no Gateway "shop/public" (Did you mean "edge/public"? A name without a namespace is looked up in shop.)',
      'unknown-gateway spec.gateways[2]: there is no Gateway "shop/other"',
    ]);
  });

  it("of a match are looked up too", () => {
    const spec =
      "{hosts: [a.shop.com], gateways: [edge/public], http: [{match: [{gateways: [mesh, nope]}], route: [{destination: {host: cart}}]}]}";
    expect(warnings(spec)).toEqual([
      'unknown-gateway spec.http[0].match[0].gateways[1]: there is no Gateway "shop/nope"',
    ]);
  });

  it("are missing where a virtual service is on the mesh only", () => {
    const rule = "http: [{route: [{destination: {host: cart}}]}]";
    const expected =
      "not-on-gateway spec.gateways: this virtual service is bound to the mesh only; a gateway serves nothing of it (Name the Gateway under spec.gateways.)";
    expect(warnings(`{hosts: [cart], ${rule}}`)).toEqual([expected]);
    expect(warnings(`{hosts: [cart], gateways: [mesh], ${rule}}`)).toEqual([expected]);
  });

  it("with errors of their own are not reported missing as well", () => {
    const vs = `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: vs}, spec: ${bound("[a.com]", "[gw]")}}`;
    const gateway = "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: gw}, spec: {servers: []}}";
    const service = "{apiVersion: v1, kind: Service, metadata: {name: cart}}";
    const { diagnostics } = check(`${vs}\n---\n${gateway}\n---\n${service}\n`);
    expect(diagnostics.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      "error empty-list",
      "error missing-field",
    ]);
  });
});

describe("hosts", () => {
  it.each(["[a.shop.com]", "[A.Shop.com]", '["*.shop.com"]', '["*.com"]', '["*"]', "[mine.com]", "[short]"])(
    "%s are served",
    (hosts) => {
      expect(warnings(bound(hosts, "[edge/public]"))).toEqual([]);
    },
  );

  it.each(["shop.com", "only-edge.com", "dot.com", "other.com", '"*.org"'])("%s is not", (host) => {
    expect(warnings(bound(`[a.shop.com, ${host}]`, "[edge/public]"))).toEqual([
      expect.stringMatching(/^host-not-in-gateway spec\.hosts\[1\]: no server of edge\/public has a host that covers/),
    ]);
  });

  it("meant for the mesh are no mistake while another one is served", () => {
    expect(warnings(bound("[a.shop.com, cart]", "[edge/public, mesh]"))).toEqual([]);
    expect(warnings(bound("[cart]", "[edge/public, mesh]"))).toHaveLength(1);
  });
});

describe("a subset", () => {
  it("that nothing defines is a warning: it may arrive later, and until then gets no requests", () => {
    expect(warnings(to("{host: cart, subset: v1}"))).toEqual([
      expect.stringContaining(
        'unknown-subset spec.http[0].route[0].destination.subset: no DestinationRule defines subset "v1" of "cart"',
      ),
    ]);
  });
});
