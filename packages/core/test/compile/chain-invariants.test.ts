// What holds of every table, whatever Gateways and VirtualServices claim of one port: an edge that finds two chains for one server
// name, or a name without its secret, has no right answer.
import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { compileTable, defaultCompileOptions } from "../../src/compile/index.ts";
import { buildResources } from "./build-resources.ts";

const apiVersion = "networking.istio.io/v1";
const host = fc.constantFrom("*", "*.a.example", "x.a.example", "y.a.example", "b.example", "*.b.example");
const hosts = fc.uniqueArray(host, { minLength: 1, maxLength: 3 });
const namespaced = fc.tuple(fc.constantFrom("", "", "one/", "./"), host).map(([namespace, name]) => namespace + name);

const tls = fc.constantFrom(
  { mode: "PASSTHROUGH" },
  { mode: "PASSTHROUGH" },
  { mode: "SIMPLE", credentialName: "c" },
  { mode: "MUTUAL", credentialName: "c" },
);
const server = fc.record({
  protocol: fc.constantFrom("TLS", "HTTPS", "HTTPS", "TCP", "HTTP"),
  number: fc.constantFrom(443, 443, 443, 9000),
  hosts: fc.uniqueArray(namespaced, { minLength: 1, maxLength: 3 }),
  tls,
});

const gateways = fc.array(fc.array(server, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });
const route = [{ destination: { host: "shop", port: { number: 80 } } }];
const virtualServices = fc.array(
  fc.record({
    namespace: fc.constantFrom("one", "two"),
    matches: fc.array(hosts, { maxLength: 3 }),
    hasTcp: fc.boolean(),
    hasHttp: fc.boolean(),
  }),
  { maxLength: 4 },
);

type Servers = typeof gateways extends fc.Arbitrary<infer Value> ? Value : never;
type Services = typeof virtualServices extends fc.Arbitrary<infer Value> ? Value : never;

function gatewayText(servers: Servers[number], index: number): string {
  const list = servers.map(({ protocol, number, tls: settings, hosts: names }, position) => ({
    port: { number, name: `p${position}`, protocol },
    hosts: names,
    ...(protocol === "TLS" || protocol === "HTTPS" ? { tls: settings } : {}),
  }));
  const spec = { selector: { istio: "ingressgateway" }, servers: list };
  return stringify({ apiVersion, kind: "Gateway", metadata: { name: `g${index}`, namespace: "one" }, spec });
}

function virtualServiceText({ namespace, matches, hasTcp, hasHttp }: Services[number], index: number): string {
  const spec = {
    hosts: ["*"],
    gateways: ["one/g0", "one/g1", "one/g2"],
    http: hasHttp || (!hasTcp && matches.length === 0) ? [{ route }] : [],
    tls: matches.map((sniHosts) => ({ match: [{ sniHosts }], route })),
    tcp: hasTcp ? [{ route }] : [],
  };
  return stringify({ apiVersion, kind: "VirtualService", metadata: { name: `v${index}`, namespace }, spec });
}

const rule = {
  apiVersion,
  kind: "DestinationRule",
  metadata: { name: "shop", namespace: "istio-system" },
  spec: { host: "*", trafficPolicy: { tls: { mode: "MUTUAL", credentialName: "client" } } },
};

const service = { apiVersion: "v1", kind: "Service", metadata: { name: "shop", namespace: "one" } };

test("no two chains of a listener claim one name, and everything that is named is there", () => {
  let passthroughs = 0;
  let ended = 0;
  fc.assert(
    fc.property(gateways, virtualServices, (servers, services) => {
      const texts = [...servers.map(gatewayText), ...services.map(virtualServiceText), stringify(rule)];
      const resources = buildResources(...texts, stringify({ ...service, spec: { ports: [{ port: 80 }] } }));
      const { table } = compileTable(resources, defaultCompileOptions);
      const secrets = new Set(table.secrets.map(({ name }) => name));
      const routeConfigs = table.routeConfigs.map(({ name }) => name);
      expect(new Set(routeConfigs).size).toBe(routeConfigs.length);
      for (const listener of table.listeners) {
        const chains = listener.filterChains;
        const names = chains.flatMap(({ serverNames }) => (serverNames.length === 0 ? ["*"] : serverNames));
        expect(new Set(names).size).toBe(names.length);
        expect(new Set(chains.map(({ name }) => name)).size).toBe(chains.length);
        for (const { routeConfig, forward, tls: context } of chains) {
          expect((routeConfig === null) !== (forward === null)).toBe(true);
          if (routeConfig !== null) expect(routeConfigs).toContain(routeConfig);
          if (forward !== null) expect(listener.engine).toBe("node");
          if (forward !== null && listener.transport === "tcp") expect(context).toBeNull();
          if (forward !== null && listener.transport === "tls" && context === null) passthroughs++;
          if (forward !== null && context !== null) ended++;
          for (const { secret } of context?.certificates ?? []) expect(secrets).toContain(secret);
        }
      }
      for (const { tls: context } of table.clusters) {
        expect(secrets).toContain(context?.certificate);
        expect(secrets).toContain(context?.trustedCa);
      }
    }),
    { numRuns: 400 },
  );
  // A generator that forwards nothing would hold of anything.
  expect(passthroughs).toBeGreaterThan(100);
  expect(ended).toBeGreaterThan(10);
});
