// Whatever policy validation lets through compiles to clusters that travel: nothing thrown, no fraction where the wire wants whole
// numbers, no weight of 0. What it refuses is refused for a reason.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileTable, defaultCompileOptions } from "../../src/compile/index.ts";
import type { ResourceSet } from "../../src/model/index.ts";
import { parseSources } from "../../src/parse/index.ts";
import { validateDocuments } from "../../src/validate/index.ts";
import { decodeTable, encodeTable } from "../../src/wire/index.ts";

const duration = fc.constantFrom("1ms", "1.5s", "2h", "900000h");
const count = fc.oneof(fc.nat(10), fc.constant(2_147_483_647));
const labels = fc.dictionary(fc.constantFrom("version", "app", "constructor"), fc.constantFrom("v1", "v2", "cart"));

function some(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  return fc.record(fields, { requiredKeys: [] });
}

const hashKey = fc.constantFrom(
  { httpHeaderName: "X-User" },
  { httpCookie: { name: "sid" } },
  { httpCookie: { name: "sid", ttl: "0s", path: "/" } },
  { httpQueryParameterName: "user" },
  { useSourceIp: true },
  { useSourceIp: false },
);
const hashSize = fc.constantFrom(
  {},
  { ringHash: {} },
  { ringHash: { minimumRingSize: 10 } },
  { maglev: { tableSize: 7 } },
);
const balancer = fc.oneof(
  fc.constantFrom("RANDOM", "ROUND_ROBIN", "PASSTHROUGH", "LEAST_CONN").map((simple) => ({ simple })),
  fc.tuple(hashKey, hashSize).map(([key, size]) => ({ consistentHash: { ...key, ...size } })),
);

const localities = fc.oneof(
  fc.constantFrom({}, { enabled: false }, { failover: [{ from: "us", to: "eu" }] }),
  fc.subarray(["version", "app=cart", "topology.kubernetes.io/zone"]).map((failoverPriority) => ({ failoverPriority })),
  fc
    .record({
      from: fc.constantFrom("us", "us/a", "us/a/1", "eu", "*", "us/*"),
      to: fc.constantFrom({ us: 100 }, { "us/a": 33, eu: 67 }, { "*": 100 }, { "us/a/1": 1, "us/b": 99 }),
    })
    .map((shares) => ({ distribute: [shares] })),
);

const settings = {
  connectionPool: some({
    tcp: some({
      maxConnections: count,
      connectTimeout: duration,
      tcpKeepalive: some({ time: duration }),
      idleTimeout: duration,
    }),
    http: some({
      maxRetries: count,
      idleTimeout: duration,
      http2KeepAlive: fc.record({ interval: duration, timeout: duration }),
    }),
  }),
  loadBalancer: fc
    .tuple(
      balancer,
      some({ warmup: fc.record({ duration, minimumPercent: fc.constantFrom(0, 0.5, 100) }) }),
      localities,
    )
    .map(([chosen, warmup, localityLbSetting]) => ({ ...chosen, ...(warmup as object), localityLbSetting })),
  outlierDetection: some({ consecutive5xxErrors: count, interval: duration, maxEjectionPercent: fc.nat(100) }),
  tls: some({ mode: fc.constantFrom("SIMPLE", "DISABLE"), sni: fc.constant("a.example") }),
};

const policy = some({
  ...settings,
  retryBudget: some({ percent: fc.constantFrom(0, 0.1, 100), budgetInterval: duration }),
  portLevelSettings: fc.array(fc.record({ port: fc.constant({ number: 80 }), tls: settings.tls }), { maxLength: 1 }),
});

const spec = fc.record({ host: fc.constant("a.example"), trafficPolicy: policy });

const subset = fc.record({ name: fc.constant("v1"), labels, trafficPolicy: fc.option(policy, { nil: undefined }) });

const endpoint = fc.record({
  address: fc.constantFrom("10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1", "unix:///run/a", "unix://@a"),
  labels,
  locality: fc.constantFrom("us/a/1", "us/a", "us/b", "eu", ""),
  weight: fc.constantFrom(0, 1, 3, 4_294_967_295),
});

function istio(kind: string, name: string, body: unknown): string {
  return JSON.stringify({
    apiVersion: "networking.istio.io/v1",
    kind,
    metadata: { name, namespace: "default" },
    spec: body,
  });
}

function validated(texts: readonly string[]): ResourceSet {
  const sources = texts.map((text, index) => ({ file: `${index}.json`, text }));
  return validateDocuments(parseSources(sources, { defaultNamespace: "default" }).documents).resources;
}

const gateway = istio("Gateway", "web", {
  selector: { istio: "ingressgateway" },
  servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
});
const routes = istio("VirtualService", "shop", {
  hosts: ["shop.example"],
  gateways: ["web"],
  http: [
    { match: [{ uri: { prefix: "/v1" } }], route: [{ destination: { host: "a.example", subset: "v1" } }] },
    { route: [{ destination: { host: "a.example" } }] },
  ],
});

describe("a policy that is let through", () => {
  it("compiles, travels and comes back as it was", () => {
    let built = 0;
    fc.assert(
      fc.property(
        spec,
        fc.array(subset, { maxLength: 1 }),
        fc.array(endpoint, { minLength: 1, maxLength: 6 }),
        (rule, subsets, endpoints) => {
          const entry = {
            hosts: ["a.example"],
            resolution: "STATIC",
            ports: [{ number: 80, name: "http" }],
            endpoints,
          };
          const texts = [
            gateway,
            routes,
            istio("ServiceEntry", "a", entry),
            istio("DestinationRule", "a", { ...rule, subsets }),
          ];
          const resources = validated(texts);
          const node = { ...defaultCompileOptions.gateway, locality: "us/a/1" };
          const { table } = compileTable(resources, { ...defaultCompileOptions, gateway: node });
          const encoded = encodeTable(table);
          const decoded = decodeTable(encoded.manifest, (digest) => encoded.resources.get(digest));
          expect(decoded.table.clusters).toEqual(table.clusters);
          built += resources.destinationRules.length;
          for (const { endpoints: list } of table.clusters) {
            const priorities = new Set(list.map(({ priority }) => priority));
            expect([...priorities].toSorted((a, b) => a - b)).toEqual([...priorities.keys()].map((_, index) => index));
          }
        },
      ),
      { numRuns: 300 },
    );
    // An empty block here and there is refused; most must not be.
    expect(built).toBeGreaterThan(100);
  });
});
