// A table that uses every field of the model, for the tests of the wire.
import { defaultClusterLimits, defaultRetryPolicy, plainEndpoint } from "../../src/model/index.ts";
import { SecretText } from "../../src/model/secret-text.ts";
import type {
  Cluster,
  HeaderPolicy,
  Listener,
  Route,
  RouteConfig,
  SecretResource,
  Table,
} from "../../src/model/index.ts";

export const privateKeyText = "-----BEGIN PRIVATE KEY-----\nnot a real key\n-----END PRIVATE KEY-----\n";

const headers: HeaderPolicy = {
  request: { remove: ["x-a"], set: [{ name: "x-b", value: "%%" }], add: [] },
  response: { remove: [], set: [], add: [{ name: "x-c", value: "1" }] },
};

const route: Route = {
  name: "status",
  virtualService: { namespace: "default", name: "httpbin", apiVersion: "v1" },
  rule: { http: 0, match: -1 },
  match: {
    path: { kind: "prefix", value: "/status", ignoreCase: true },
    headers: [{ name: "x-canary", kind: "exact", value: "1", invert: false }],
    queryParams: [{ name: "v", kind: "regex", value: "\\d+" }],
  },
  action: {
    kind: "forward",
    clusters: [
      { cluster: "outbound|8000||httpbin.default.svc.cluster.local", weight: 90, headers, authority: null },
      {
        cluster: "outbound|8000|v2|httpbin.default.svc.cluster.local",
        weight: 10,
        headers,
        authority: "v2.example",
      },
    ],
    timeoutMs: 1500,
    retry: { ...defaultRetryPolicy, statusCodes: [503] },
    rewrite: { path: { kind: "regex", pattern: "a(b)", substitution: "\\1" }, authority: "b.example" },
    mirrors: [{ cluster: "outbound|8000||copy.default.svc.cluster.local", percentage: 12.5 }],
  },
  policy: {
    fault: {
      delay: { percentage: 0.1, durationMs: 5000 },
      abort: { percentage: 100, httpStatus: null, grpcStatus: 14 },
    },
    cors: {
      allowOrigins: [{ kind: "exact", value: "https://a.example" }],
      allowMethods: "GET,POST",
      allowHeaders: "x-a",
      exposeHeaders: "",
      maxAgeSeconds: 60,
      allowCredentials: true,
      forwardsUnmatchedPreflights: false,
    },
    headers,
  },
  operation: "httpbin.default.svc.cluster.local:8000/status*",
};

const redirect: Route = {
  ...route,
  name: "moved",
  action: {
    kind: "redirect",
    status: 308,
    scheme: "https",
    host: "new.example",
    port: 8443,
    path: { kind: "prefix", value: "/new" },
  },
};

const directResponse: Route = {
  ...route,
  name: "teapot",
  action: { kind: "direct-response", status: 418, body: new TextEncoder().encode("short and stout") },
};

const listener: Listener = {
  name: "0.0.0.0_443",
  address: "0.0.0.0",
  port: 8443,
  declaredPort: 443,
  transport: "tls",
  engine: "node",
  engineReason: "h2",
  acceptsProxyProtocol: false,
  filterChains: [
    {
      name: "https.443.https.gw.default",
      serverNames: ["*.example.com", "shop.example"],
      tls: {
        mode: "MUTUAL",
        certificates: [{ secret: "file-cert:/a~/b", files: { certificateChain: "/a", privateKey: "/b" } }],
        clientValidation: {
          trustedCa: "kubernetes://default/gw-cacert",
          trustedCaFile: null,
          crl: null,
          crlFile: "/crl",
          subjectAltNames: ["spiffe://mesh/client"],
          spkiHashes: ["aGFzaA=="],
          certificateHashes: ["00ff"],
          acceptUntrusted: false,
        },
        alpn: ["h2", "http/1.1"],
        minVersion: "TLSv1.2",
        maxVersion: "TLSv1.3",
        cipherSuites: ["ECDHE-RSA-AES128-GCM-SHA256"],
        ecdhCurves: ["X25519"],
      },
      routeConfig: "https.443.https.gw.default",
      forward: {
        clusters: [{ cluster: "outbound|9000||db.default.svc.cluster.local", weight: 1 }],
        virtualService: { namespace: "default", name: "db", apiVersion: "networking.istio.io/v1" },
      },
      statPrefix: null,
      gateway: { namespace: "default", name: "gw" },
    },
  ],
};

const cluster: Cluster = {
  name: "outbound|8000||httpbin.default.svc.cluster.local",
  host: "httpbin.default.svc.cluster.local",
  port: 8000,
  subset: "",
  discovery: "EDS",
  connectTimeoutMs: 10_000,
  protocol: "http2",
  tls: {
    certificate: "kubernetes://default/client",
    trustedCa: "kubernetes://default/client-cacert",
    crl: "file-crl:/crl",
    sni: "httpbin.example",
    subjectAltNames: ["httpbin.example"],
    acceptsUntrusted: false,
  },
  limits: {
    ...defaultClusterLimits,
    maxConnections: 7,
    tcpKeepaliveMs: 5000,
    http2Keepalive: { intervalMs: 1000, timeoutMs: 500 },
    retryBudget: { percent: 20, minRetryConcurrency: 3, intervalMs: 0 },
  },
  balancer: {
    kind: "ring-hash",
    key: { kind: "cookie", name: "who", path: "/", ttlMs: 0, attributes: ["SameSite=Strict"] },
    size: 1024,
  },
  warmup: { durationMs: 30_000, minimumPercent: 10, aggression: 1.5 },
  outlierDetection: {
    consecutive5xx: 5,
    consecutiveGatewayErrors: 0,
    consecutiveLocalErrors: 5,
    splitsLocalErrors: false,
    errorCodes: [500],
    intervalMs: 10_000,
    baseEjectionTimeMs: 30_000,
    maxEjectionPercent: 10,
    minHealthPercent: 0,
  },
  sendsProxyProtocol: "V2",
  destinationRule: { namespace: "default", name: "httpbin", apiVersion: "networking.istio.io/v1" },
  endpoints: [
    plainEndpoint("10.0.0.1", 80),
    { address: "::1", port: 80, weight: 3, healthy: false, locality: "eu/a/1", priority: 1 },
  ],
};

const secret: SecretResource = {
  name: "kubernetes://default/gw",
  status: "ready",
  reason: "",
  certificateChain: "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
  privateKey: new SecretText(privateKeyText),
  trustedCa: null,
  crl: null,
};

/** One route config with as many virtual hosts as asked for, and one of everything else. */
export function sampleTable({ virtualHosts = 3 } = {}): Table {
  const routeConfig: RouteConfig = {
    name: "https.443.https.gw.default",
    port: 443,
    legacyName: "https.443.https",
    virtualHosts: Array.from({ length: virtualHosts }, (_, index) => {
      const host = `host-${String(index).padStart(5, "0")}.example.com`;
      return {
        name: `${host}:443`,
        domains: [host],
        requireTls: index === 1,
        routes: [route, redirect, directResponse],
      };
    }),
  };
  return { listeners: [listener], routeConfigs: [routeConfig], clusters: [cluster], secrets: [secret] };
}
