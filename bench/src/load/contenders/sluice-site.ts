// A site in Istio's words: Gateways for the doors, a VirtualService a host, one Service behind all of them.
import type { ServerFiles } from "../certificates.ts";
import { hasAllDoors, hostName, routePrefix, type Site } from "../contender.ts";

/** The Gateway port of each door. */
export const declaredPorts = { plain: 80, tls: 443, h2: 444, mtls: 445 };

const bothVersions = { "sluice.dev/alpn": "h2,http/1.1" };

function gatewaysOf(site: Site): readonly string[] {
  return hasAllDoors(site) ? ["entrance", "entrance-h2"] : ["entrance"];
}

/** All documents of a site. */
export function siteDocuments(site: Site, files: ServerFiles, backendPort: number): readonly object[] {
  const tls = { mode: "SIMPLE", serverCertificate: files.certificate, privateKey: files.key };
  const plain = server(declaredPorts.plain, "HTTP");
  const entrance = [
    plain,
    server(declaredPorts.tls, "HTTPS", tls),
    server(declaredPorts.mtls, "HTTPS", { ...tls, mode: "MUTUAL", caCertificates: files.ca }),
  ];
  return [
    gateway("entrance", hasAllDoors(site) ? entrance : [plain], { "sluice.dev/alpn": "http/1.1" }),
    ...(hasAllDoors(site) ? [gateway("entrance-h2", [server(declaredPorts.h2, "HTTPS", tls)], bothVersions)] : []),
    ...Array.from({ length: site.hosts }, (_, index) => virtualService(site, index)),
    { apiVersion: "v1", kind: "Service", metadata: { name: "backend" }, spec: { ports: [{ name: "http", port: 80 }] } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: "backend-1", labels: { "kubernetes.io/service-name": "backend" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["127.0.0.1"] }],
      ports: [{ name: "http", port: backendPort }],
    },
  ];
}

/** What is pushed while load goes on: a route of a host that nobody asks for, different each time. */
export function reloadedService(generation: number): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "reloaded", namespace: "default" },
    spec: {
      hosts: ["reloaded.bench.example"],
      gateways: ["default/entrance"],
      http: [{ directResponse: { status: 200, body: { string: String(generation) } } }],
    },
  };
}

function gateway(name: string, servers: readonly object[], annotations: Readonly<Record<string, string>>): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name, namespace: "default", annotations },
    spec: { selector: { istio: "ingressgateway" }, servers },
  };
}

function server(number: number, protocol: string, tls?: object): object {
  const port = { number, name: `${protocol.toLowerCase()}-${number}`, protocol };
  return { port, hosts: ["*"], ...(tls === undefined ? {} : { tls }) };
}

function virtualService(site: Site, index: number): object {
  const destination = { host: "backend", port: { number: 80 } };
  const http = Array.from({ length: site.routes }, (_, route) => ({
    match: [{ uri: { prefix: routePrefix(site, route) } }],
    route: [{ destination }],
  }));
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: `host-${index}`, namespace: "default" },
    spec: { hosts: [hostName(index)], gateways: gatewaysOf(site), http },
  };
}
