// Tables for the tests of explain, written by hand: what the compiler would make of a small gateway.
import { forwardTo, plainTransport } from "../../src/model/index.ts";
import type {
  Cluster,
  FilterChain,
  Listener,
  Route,
  RouteConfig,
  RouteMatch,
  SecretResource,
  Table,
  TlsContext,
  VirtualHost,
  WeightedCluster,
} from "../../src/model/index.ts";
import type { Question } from "../../src/explain/index.ts";

export const httpbin = "outbound|8000||httpbin.default.svc.cluster.local";

export function question(fields: Partial<Question>): Question {
  return {
    port: 80,
    host: "httpbin.example.com",
    scheme: "http",
    sni: null,
    path: "/status/200",
    method: "GET",
    headers: [],
    clientCertificate: null,
    ...fields,
  };
}

export function route(match: Partial<RouteMatch> = {}, fields: Partial<Route> = {}): Route {
  return {
    name: "",
    virtualService: { namespace: "default", name: "httpbin", apiVersion: "v1" },
    rule: { http: 0, match: 0 },
    match: { path: { kind: "prefix", value: "/status", ignoreCase: false }, headers: [], queryParams: [], ...match },
    action: forwardTo([{ cluster: httpbin, weight: 1 }]),
    policy: null,
    operation: "",
    ...fields,
  };
}

export function virtualHost(domains: readonly string[], fields: Partial<VirtualHost> = {}): VirtualHost {
  return { name: `${domains[0]}:80`, domains, requireTls: false, routes: [route()], ...fields };
}

export function cluster(name: string, healthy = 1): Cluster {
  const endpoints = Array.from({ length: 2 }, (_, index) => ({
    address: `10.0.0.${index}`,
    port: 80,
    weight: 1,
    healthy: index < healthy,
    locality: "",
    priority: 0,
  }));
  return {
    name,
    host: "",
    port: 8000,
    subset: "",
    discovery: "EDS",
    connectTimeoutMs: 10_000,
    ...plainTransport,
    endpoints,
  };
}

export function chain(name: string, serverNames: readonly string[], tls: Partial<TlsContext> | null = {}): FilterChain {
  const context: TlsContext = {
    mode: "SIMPLE",
    certificates: [{ secret: "kubernetes://default/cert", files: null }],
    clientValidation: null,
    alpn: ["h2", "http/1.1"],
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    cipherSuites: [],
    ecdhCurves: [],
    ...tls,
  };
  return {
    name,
    serverNames,
    tls: tls === null ? null : context,
    routeConfig: name,
    forward: null,
    statPrefix: null,
    gateway: { namespace: "default", name: "gw" },
  };
}

/** A chain whose bytes go to the cluster as they come. */
export function rawChain(
  name: string,
  serverNames: readonly string[],
  clusters: readonly WeightedCluster[],
): FilterChain {
  const virtualService = { namespace: "default", name: "db", apiVersion: "v1" };
  return { ...chain(name, serverNames, null), routeConfig: null, forward: { clusters, virtualService } };
}

export function listener(port: number, filterChains: readonly FilterChain[], fields: Partial<Listener> = {}): Listener {
  return {
    name: `0.0.0.0_${port}`,
    address: "0.0.0.0",
    port,
    declaredPort: port,
    transport: filterChains[0]?.tls === null ? "http" : "tls",
    engine: "node",
    engineReason: "",
    acceptsProxyProtocol: false,
    filterChains,
    ...fields,
  };
}

export function routeConfig(name: string, virtualHosts: readonly VirtualHost[]): RouteConfig {
  return { name, port: 80, legacyName: name, virtualHosts };
}

export function secret(name: string, fields: Partial<SecretResource> = {}): SecretResource {
  return {
    name,
    status: "ready",
    reason: "",
    certificateChain: "",
    privateKey: null,
    trustedCa: null,
    crl: null,
    ...fields,
  };
}

/** Port 80 with one virtual host. */
export function plainTable(virtualHosts: readonly VirtualHost[] = [virtualHost(["httpbin.example.com"])]): Table {
  return {
    listeners: [listener(80, [chain("http.80", [], null)])],
    routeConfigs: [routeConfig("http.80", virtualHosts)],
    clusters: [cluster(httpbin)],
    secrets: [],
  };
}

/** Port 443 with these chains, each with a virtual host for each of its server names (or `*`). */
export function tlsTable(
  chains: readonly FilterChain[],
  secrets: readonly SecretResource[] = [secret("kubernetes://default/cert")],
): Table {
  const routeConfigs = chains.map(({ name, serverNames }) => {
    const domains = serverNames.length === 0 ? ["*"] : serverNames;
    return routeConfig(
      name,
      domains.map((domain) => virtualHost([domain], { name: `${domain}:443` })),
    );
  });
  return {
    listeners: [listener(443, chains, { transport: "tls" })],
    routeConfigs,
    clusters: [cluster(httpbin)],
    secrets,
  };
}
