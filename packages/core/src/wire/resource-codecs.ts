// The shape of every resource on the wire. Encoding and checking both follow these descriptions; a field added to the table belongs here.
import { SecretText } from "../model/secret-text.ts";
import type {
  CertificateRef,
  ClientValidation,
  Cluster,
  ClusterLimits,
  Endpoint,
  FilterChain,
  HeaderMatch,
  Listener,
  NetworkForward,
  ObjectRef,
  PathMatch,
  QueryParamMatch,
  Route,
  RouteAction,
  RouteConfig,
  RouteMatch,
  SecretResource,
  TlsContext,
  UpstreamTls,
  VirtualHost,
  WeightedCluster,
} from "../model/table.ts";
import { count, flag, integer, list, nullable, object, oneOf, port, positive, ShapeMismatch, text } from "./codec.ts";
import type { Codec } from "./codec.ts";

/** A route config without the virtual hosts themselves: each is a resource of its own, named here in order. */
export interface RouteConfigHead extends Pick<RouteConfig, "name" | "port" | "legacyName"> {
  readonly virtualHosts: readonly string[];
}

const objectRef = object<ObjectRef>({ namespace: text, name: text });

const certificateRef = object<CertificateRef>({
  secret: text,
  files: nullable(object({ certificateChain: text, privateKey: text })),
});

const clientValidation = object<ClientValidation>({
  trustedCa: nullable(text),
  trustedCaFile: nullable(text),
  crl: nullable(text),
  crlFile: nullable(text),
  subjectAltNames: list(text),
  spkiHashes: list(text),
  certificateHashes: list(text),
  acceptUntrusted: flag,
});

const tlsVersion = oneOf("TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3");

const tlsContext = object<TlsContext>({
  mode: oneOf("SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL"),
  certificates: list(certificateRef),
  clientValidation: nullable(clientValidation),
  alpn: list(oneOf("h2", "http/1.1")),
  minVersion: tlsVersion,
  maxVersion: tlsVersion,
  cipherSuites: list(text),
  ecdhCurves: list(text),
});

const weightedClusters = list(object<WeightedCluster>({ cluster: text, weight: positive }));

const nonEmptyClusters: Codec<readonly WeightedCluster[]> = {
  encode: (clusters) => weightedClusters.encode(clusters),
  decode(value) {
    const clusters = weightedClusters.decode(value);
    if (clusters.length === 0) throw new ShapeMismatch("is empty");
    return clusters;
  },
};

const filterChain = object<FilterChain>({
  name: text,
  serverNames: list(text),
  tls: nullable(tlsContext),
  routeConfig: nullable(text),
  forward: nullable(
    object<NetworkForward>({
      clusters: nonEmptyClusters,
      virtualService: object({ namespace: text, name: text, apiVersion: text }),
    }),
  ),
  statPrefix: nullable(text),
  gateway: objectRef,
});

export const listenerCodec = object<Listener>({
  name: text,
  address: text,
  port,
  declaredPort: port,
  transport: oneOf("http", "tls", "tcp"),
  acceptsProxyProtocol: flag,
  engine: oneOf("uws", "node"),
  engineReason: text,
  filterChains: list(filterChain),
});

export const routeConfigCodec = object<RouteConfigHead>({
  name: text,
  port,
  legacyName: text,
  virtualHosts: list(text),
});

const valueKind = oneOf("exact", "prefix", "regex", "present");

const routeMatch = object<RouteMatch>({
  path: object<PathMatch>({ kind: oneOf("prefix", "exact", "regex"), value: text, ignoreCase: flag }),
  headers: list(object<HeaderMatch>({ name: text, kind: valueKind, value: text, invert: flag })),
  queryParams: list(object<QueryParamMatch>({ name: text, kind: valueKind, value: text })),
});

const routeAction = object<RouteAction>({ kind: oneOf("forward"), clusters: nonEmptyClusters });

const route = object<Route>({
  name: text,
  virtualService: object({ namespace: text, name: text, apiVersion: text }),
  rule: object({ http: integer, match: integer }),
  match: routeMatch,
  action: routeAction,
  operation: text,
});

export const virtualHostCodec = object<VirtualHost>({
  name: text,
  domains: list(text),
  requireTls: flag,
  routes: list(route),
});

const endpoint = object<Endpoint>({ address: text, port, weight: positive, healthy: flag });

export const clusterCodec = object<Cluster>({
  name: text,
  host: text,
  port,
  subset: text,
  discovery: oneOf("EDS", "STATIC", "STRICT_DNS"),
  connectTimeoutMs: count,
  protocol: oneOf("http1", "http2", "downstream", "tcp"),
  tls: nullable(
    object<UpstreamTls>({
      certificate: nullable(text),
      trustedCa: nullable(text),
      crl: nullable(text),
      sni: text,
      subjectAltNames: list(text),
      acceptsUntrusted: flag,
    }),
  ),
  limits: object<ClusterLimits>({
    maxConnections: count,
    maxPendingRequests: count,
    maxRequests: count,
    maxRequestsPerConnection: count,
    maxConcurrentStreams: count,
    idleTimeoutMs: count,
    maxConnectionDurationMs: count,
    tcpKeepaliveMs: nullable(count),
  }),
  sendsProxyProtocol: nullable(oneOf("V1", "V2")),
  destinationRule: nullable(object({ namespace: text, name: text, apiVersion: text })),
  endpoints: list(endpoint),
});

/** The one place where a private key leaves its `SecretText`: on the way to an edge, over a socket that only edges may open. */
const secretText: Codec<SecretText> = {
  encode: (secret) => secret.reveal(),
  decode: (value) => new SecretText(text.decode(value)),
};

export const secretCodec = object<SecretResource>({
  name: text,
  status: oneOf("ready", "missing", "invalid"),
  reason: text,
  certificateChain: nullable(text),
  privateKey: nullable(secretText),
  trustedCa: nullable(text),
  crl: nullable(text),
});
