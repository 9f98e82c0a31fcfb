import type { Listener, Table } from "@sluice/core/model";
import { expect, test } from "vitest";
import { httpsAuthorityFor } from "../../src/worker/https-authority.ts";

const listener = (port: number, transport: "http" | "tls"): Listener => ({
  name: `0.0.0.0_${port}`,
  address: "0.0.0.0",
  port,
  declaredPort: port,
  transport,
  engine: "node",
  engineReason: "",
  acceptsProxyProtocol: false,
  filterChains: [],
});
const table: Table = {
  listeners: [listener(80, "http"), listener(443, "tls")],
  routeConfigs: [],
  clusters: [],
  secrets: [],
};
const bound: Record<string, number> = { "0.0.0.0_80": 8080, "0.0.0.0_443": 8443 };
const authority = httpsAuthorityFor(
  () => table,
  (name) => ({ address: "0.0.0.0", port: bound[name] ?? 0 }),
);

test.each([
  ["app.example", "app.example", "no port: the client uses the default ones"],
  ["app.example:80", "app.example", "the declared port: a load balancer translates"],
  ["app.example:8080", "app.example:8443", "the bound port: the client talks to this machine"],
  ["app.example:9999", "app.example:9999", "a port that is not ours is kept"],
  ["[::1]:8080", "[::1]:8443", "IPv6"],
])("%s → %s (%s)", (from, to) => {
  expect(authority(from, "0.0.0.0_80")).toBe(to);
});
