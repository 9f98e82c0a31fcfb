// One gateway for the protocol stories: everything under a path goes to the backend of that name.
import { documents, gatewayResource, httpServer, service } from "./config.ts";
import type { EngineLane } from "./engines.ts";
import { type Gateway, gateway } from "./gateway.ts";

export const host = "app.example";

/** Paths and the ports that answer them; no port: a service without endpoints. */
export type Backends = Readonly<Record<string, number | null>>;

/** @param edge merged into sluice.yaml's `edge` of the lane */
export function protocolWorld(
  lane: EngineLane,
  backends: Backends,
  edge: Readonly<Record<string, unknown>> = {},
): Promise<Gateway> {
  const names = Object.keys(backends);
  const rule = (name: string) => ({
    match: [{ uri: { prefix: `/${name}` } }, { uri: { exact: "*" } }],
    route: [{ destination: { host: name, port: { number: 8000 } } }],
  });
  const routes = {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "app" },
    spec: { hosts: [host], gateways: ["app"], http: names.map(rule) },
  };
  const config = documents(
    gatewayResource("app", [httpServer([host])]),
    routes,
    ...names.flatMap((name) => service(name, ...[backends[name] ?? []].flat())),
  );
  return gateway({ config: { "app.yaml": config }, edge: { workers: 1, ...lane.edge, ...edge }, ports: [80] });
}
