import type { FilterChain, Table } from "@sluice/core/model";
import { expect, test } from "vitest";
import { buildRuntimeTable } from "../../src/proxy/runtime-table.ts";

const chain = (name: string, routeConfig = "routes"): FilterChain => ({
  name,
  serverNames: [`${name}.example`],
  tls: null,
  routeConfig,
  forward: null,
  statPrefix: null,
  gateway: { namespace: "default", name: "gateway" },
});

function build(...filterChains: readonly FilterChain[]): void {
  const engine = { engine: "node", engineReason: "", acceptsProxyProtocol: false } as const;
  const place = { address: "0.0.0.0", port: 443, declaredPort: 443, transport: "tls" } as const;
  const table: Table = {
    listeners: [{ name: "0.0.0.0_443", ...place, ...engine, filterChains }],
    routeConfigs: [{ name: "routes", legacyName: "routes", port: 443, virtualHosts: [] }],
    clusters: [],
    secrets: [],
  };
  buildRuntimeTable({ version: "1", table, previous: null, recorderOf: () => ({ record: () => {} }) });
}

test("a table in which two chains of a listener have one name is refused", () => {
  expect(() => build(chain("a"), chain("b"))).not.toThrow();
  expect(() => build(chain("a"), chain("a"))).toThrow("0.0.0.0_443 has two chains of one name");
});

test("a table in which a chain names an unknown route config is refused", () => {
  expect(() => build(chain("a", "other"))).toThrow("names the route config other");
});
