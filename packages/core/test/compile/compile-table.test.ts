import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileTable, defaultCompileOptions, referencedFiles } from "../../src/compile/index.ts";
import type { Table } from "../../src/model/index.ts";
import { buildResources } from "./build-resources.ts";

function compile(...texts: readonly string[]): Table {
  return compileTable(buildResources(...texts), defaultCompileOptions).table;
}

function gateway(name: string, servers: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: ${name}, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers:
${servers}`;
}

function virtualService(name: string, host: string, gateways: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: default }
spec:
  hosts: ["${host}"]
  gateways: [${gateways}]
  http:
    - match: [{ uri: { prefix: /${name} } }]
      route: [{ destination: { host: ${name}, port: { number: 8000 } } }]`;
}

function service(name: string): string {
  return `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { ports: [{ port: 8000 }] }`;
}

describe("compileTable", () => {
  test("gives two servers with a host each the table of one server with both hosts", () => {
    const services = [virtualService("a", "a.example", "web"), virtualService("b", "b.example", "web")];
    const port = "{ number: 80, name: http, protocol: HTTP }";
    const together = gateway("web", `    - { port: ${port}, hosts: [a.example, b.example] }`);
    const apart = gateway(
      "web",
      `    - { port: ${port}, hosts: [a.example] }
    - { port: { number: 80, name: http-b, protocol: HTTP }, hosts: [b.example] }`,
    );
    expect(compile(apart, ...services)).toEqual(compile(together, ...services));
  });

  test("gives the same table whatever the order of documents", () => {
    const texts = [
      gateway("one", "    - { port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }"),
      gateway("two", "    - { port: { number: 80, name: http, protocol: HTTP }, hosts: [a.example] }"),
      gateway(
        "three",
        "    - { port: { number: 443, name: https, protocol: HTTPS }, hosts: [a.example], tls: { mode: SIMPLE, credentialName: x } }",
      ),
      gateway(
        "four",
        "    - { port: { number: 443, name: https, protocol: HTTPS }, hosts: [a.example], tls: { mode: SIMPLE, credentialName: y } }",
      ),
      virtualService("a", "a.example", "one, two, three"),
      virtualService("b", "a.example", "two, four"),
      service("a"),
      service("b"),
    ];
    const expected = compile(...texts);
    const shuffles = fc.shuffledSubarray(texts, { minLength: texts.length });
    fc.assert(
      fc.property(shuffles, (shuffled) => {
        expect(compile(...shuffled)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test("gives an empty table for an empty configuration", () => {
    expect(compile("")).toEqual({ listeners: [], routeConfigs: [], clusters: [], secrets: [] });
  });

  test("gives chains whose names would be the same different ones, with routes of their own", () => {
    const server = (portName: string, host: string) =>
      `    - { port: { number: 443, name: ${portName}, protocol: HTTPS }, hosts: [${host}], tls: { mode: SIMPLE, credentialName: x } }`;
    const table = compile(
      gateway("b.c", server("a", "one.example")),
      gateway("c", server("a.b", "two.example")),
      virtualService("v", "*", "default/b.c, default/c"),
    );
    const chains = table.listeners[0]?.filterChains.map(({ name, routeConfig }) => [name, routeConfig]);
    const [first, second] = ["https.443.a.b.c.default", "https.443.a.b.c.default~2"];
    expect(chains).toEqual([
      [first, first],
      [second, second],
    ]);
    const domains = table.routeConfigs.map(({ name, virtualHosts }) => [name, virtualHosts[0]?.domains[0]]);
    expect(domains).toEqual([
      [first, "one.example"],
      [second, "two.example"],
    ]);
  });

  test("keeps the declared port beside the translated one", () => {
    const ingress = `
apiVersion: v1
kind: Service
metadata: { name: ingress, namespace: istio-system }
spec: { selector: { istio: ingressgateway }, ports: [{ port: 80, targetPort: 8080 }] }`;
    const web = gateway("web", "    - { port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }");
    expect(compile(web, ingress).listeners).toMatchObject([{ name: "0.0.0.0_8080", port: 8080, declaredPort: 80 }]);
  });
});

describe("referencedFiles", () => {
  test("names every certificate file once, sorted, of Gateways selected or not", () => {
    const web = gateway(
      "web",
      `    - port: { number: 443, name: a, protocol: HTTPS }
      hosts: [a.example]
      tls: { mode: MUTUAL, serverCertificate: /b.crt, privateKey: /b.key, caCertificates: /ca.crt, caCrl: /ca.crl }
    - port: { number: 443, name: b, protocol: HTTPS }
      hosts: [b.example]
      tls: { mode: SIMPLE, tlsCertificates: [{ serverCertificate: /a.crt, privateKey: /b.key }] }`,
    ).replace("istio: ingressgateway", "istio: another");
    expect(referencedFiles(buildResources(web))).toEqual(["/a.crt", "/b.crt", "/b.key", "/ca.crl", "/ca.crt"]);
  });

  test("names those of DestinationRules and of their ports", () => {
    const rule = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: shop, namespace: default }
spec:
  host: shop
  trafficPolicy:
    tls: { mode: MUTUAL, clientCertificate: /c.crt, privateKey: /c.key, caCertificates: /ca.crt, caCrl: /ca.crl }
    portLevelSettings:
      - port: { number: 80 }
        tls: { mode: SIMPLE, caCertificates: /port.crt }`;
    expect(referencedFiles(buildResources(rule))).toEqual(["/c.crt", "/c.key", "/ca.crl", "/ca.crt", "/port.crt"]);
  });
});
