// Configuration of the stories, short enough to be read where it is used. Everything is what a user would write; only the words are saved.
import { stringify } from "yaml";

type Json = Readonly<Record<string, unknown>>;

const istio = "networking.istio.io/v1";

/** Several documents as one file. */
export function documents(...values: readonly Json[]): string {
  return values.map((value) => stringify(value)).join("---\n");
}

export function gatewayResource(
  name: string,
  servers: readonly Json[],
  annotations: Readonly<Record<string, string>> = {},
): Json {
  return {
    apiVersion: istio,
    kind: "Gateway",
    metadata: { name, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: { selector: { istio: "ingressgateway" }, servers },
  };
}

export function httpServer(hosts: readonly string[], options: { port?: number; name?: string; tls?: Json } = {}): Json {
  const { port = 80, name = `http-${port}`, tls } = options;
  return { port: { number: port, name, protocol: "HTTP" }, hosts, ...(tls === undefined ? {} : { tls }) };
}

export function httpsServer(hosts: readonly string[], tls: Json, options: { port?: number; name?: string } = {}): Json {
  const { port = 443, name = `https-${hosts[0] ?? ""}`.replace(/[^a-z0-9-]/g, "-") } = options;
  return { port: { number: port, name, protocol: "HTTPS" }, hosts, tls };
}

/** Routes path prefixes of `hosts` to one destination; no prefix: everything. */
export function virtualService(
  name: string,
  options: { hosts: readonly string[]; gateways: readonly string[]; destination: string; prefixes?: readonly string[] },
): Json {
  const { hosts, gateways, destination, prefixes = [] } = options;
  const match = prefixes.length === 0 ? {} : { match: prefixes.map((prefix) => ({ uri: { prefix } })) };
  const rule = { ...match, route: [{ destination: { host: destination, port: { number: 8000 } } }] };
  return { apiVersion: istio, kind: "VirtualService", metadata: { name }, spec: { hosts, gateways, http: [rule] } };
}

/** A Service on port 8000 whose endpoints are ports of this machine. */
export function service(name: string, ...ports: readonly number[]): Json[] {
  return serviceOn(name, { name: "http", port: 8000 }, ports);
}

/** A Service whose only port has a name or `appProtocol`, by which its protocol is known, and whose endpoints are ports of this machine. */
export function serviceOn(
  name: string,
  servicePort: { readonly name: string; readonly port: number; readonly appProtocol?: string },
  ports: readonly number[],
): Json[] {
  return [
    { apiVersion: "v1", kind: "Service", metadata: { name }, spec: { ports: [servicePort] } },
    ...ports.map((port, index) => ({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { name: `${name}-${index}`, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["127.0.0.1"] }],
      ports: [{ name: servicePort.name, port }],
    })),
  ];
}

export interface EntryEndpoint {
  /** An address, a name to resolve, or `unix:///path`. */
  readonly address?: string;
  /** None for a Unix socket. */
  readonly port?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly locality?: string;
  readonly weight?: number;
}

/** A ServiceEntry on port 8000 with these endpoints (default address 127.0.0.1). */
export function serviceEntry(host: string, endpoints: readonly EntryEndpoint[], resolution = "STATIC"): Json {
  return {
    apiVersion: istio,
    kind: "ServiceEntry",
    metadata: { name: host },
    spec: {
      hosts: [host],
      resolution,
      ports: [{ number: 8000, name: "http", protocol: "HTTP" }],
      endpoints: endpoints.map(({ address = "127.0.0.1", port, ...rest }) => ({
        address,
        ...(port === undefined ? {} : { ports: { http: port } }),
        ...rest,
      })),
    },
  };
}

export function destinationRule(host: string, trafficPolicy: Json, subsets: readonly Json[] = []): Json {
  const spec = { host, trafficPolicy, ...(subsets.length === 0 ? {} : { subsets }) };
  return { apiVersion: istio, kind: "DestinationRule", metadata: { name: host }, spec };
}

/** A Secret in the gateway's namespace. */
export function secret(name: string, data: Readonly<Record<string, string>>): Json {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "istio-system" }, stringData: data };
}

export function tlsSecret(name: string, certificate: { readonly chainPem: string; readonly keyPem: string }): Json {
  return secret(name, { "tls.crt": certificate.chainPem, "tls.key": certificate.keyPem });
}
