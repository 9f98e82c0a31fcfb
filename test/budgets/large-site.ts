// Configurations that only differ in how many there are of one thing, so that the difference of their costs is what one costs.
import { documents, gatewayResource, httpServer, service } from "../support/config.ts";

type Site = Readonly<Record<string, string>>;

/** Nobody listens there; nothing is asked that would go there. */
const backendPort = 9;

function rule(index: number): object {
  return {
    match: [{ uri: { prefix: `/api/v1/service-${index}/` } }],
    route: [{ destination: { host: "app", port: { number: 8000 } } }],
  };
}

function virtualService(host: string, rules: readonly object[]): object {
  const spec = { hosts: [host], gateways: ["main"], http: rules };
  return { apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata: { name: host }, spec };
}

/** JSON is YAML, and ten thousand documents are written and read the faster. */
function site(virtualServices: readonly object[]): Site {
  return {
    "main.yaml": documents(gatewayResource("main", [httpServer(["*"])]), ...service("app", backendPort)),
    "hosts.yaml": virtualServices.map((resource) => JSON.stringify(resource)).join("\n---\n"),
  };
}

/** Hosts of one route each. */
export function siteOfHosts(count: number): Site {
  return site(Array.from({ length: count }, (_, index) => virtualService(`app-${index}.example`, [rule(index)])));
}

/** Routes of one host, `app.example`. */
export function siteOfRoutes(count: number): Site {
  const rules = Array.from({ length: count }, (_, index) => rule(index));
  return site([virtualService("app.example", rules)]);
}
