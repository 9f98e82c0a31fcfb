// The table: the compiled whole that an edge serves from. Plain data in dependency order (listeners → route configs → clusters,
// secrets by name), so that it can be encoded, diffed and printed. Names are Envoy's; nothing here knows a printing dialect.
import type { Cluster } from "./cluster.ts";
import type { Route, WeightedCluster } from "./route.ts";
import type { SecretText } from "./secret-text.ts";

/** The compiled whole. Every list is sorted by name: the same input gives the same bytes. */
export interface Table {
  readonly listeners: readonly Listener[];
  readonly routeConfigs: readonly RouteConfig[];
  readonly clusters: readonly Cluster[];
  readonly secrets: readonly SecretResource[];
}

/** `uws`: uWebSockets.js. `node`: net, tls, http and http2 of Node.js. See docs/adr/0001. */
export type Engine = "uws" | "node";

/** A bound address and the filter chains that connections to it may take. */
export interface Listener {
  /** `0.0.0.0_443` (Istio's name: bind and port). */
  readonly name: string;
  readonly address: string;
  /** The port after translation by Services that select the gateway: the one `pc listener` prints. */
  readonly port: number;
  /** The port the Gateway declares (the first server's, where several were translated to one). `edge.ports` maps it. */
  readonly declaredPort: number;
  /** `http`: cleartext HTTP, one chain. `tls`: TLS, the chain is picked by SNI. `tcp`: raw bytes, one chain. */
  readonly transport: "http" | "tls" | "tcp";
  /** Every connection must begin with a PROXY protocol header, version 1 or 2; one without is closed. */
  readonly acceptsProxyProtocol: boolean;
  readonly engine: Engine;
  /** Why the compiler chose this engine, for `pc listener`. */
  readonly engineReason: string;
  readonly filterChains: readonly FilterChain[];
}

/** What one set of server names gets: its TLS context and its routes. */
export interface FilterChain {
  /** Unique inside the listener; the route config's name for HTTP. */
  readonly name: string;
  /** Sorted SNI names, exact or `*.suffix`, lower case. Empty: every connection, also those without SNI. */
  readonly serverNames: readonly string[];
  /** Null on cleartext, and where TLS passes through. */
  readonly tls: TlsContext | null;
  /** HTTP routes; null where bytes are forwarded as they come. Exactly one of `routeConfig` and `forward` is set. */
  readonly routeConfig: string | null;
  /** TCP, and TLS PASSTHROUGH: where the bytes go. With `tls` those inside it, without as they come. */
  readonly forward: NetworkForward | null;
  /** Istio's `server.name`, used as statistics prefix by Envoy; null where the server has none. */
  readonly statPrefix: string | null;
  /** The Gateway that owns this chain. */
  readonly gateway: ObjectRef;
}

/** The destination of connections that are not HTTP to Sluice. */
export interface NetworkForward {
  /** One or more; weights as in `ForwardAction`. */
  readonly clusters: readonly WeightedCluster[];
  readonly virtualService: ObjectRef & { readonly apiVersion: string };
}

export interface ObjectRef {
  readonly namespace: string;
  readonly name: string;
}

export type TlsVersion = "TLSv1.0" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

/** How a filter chain terminates TLS. */
export interface TlsContext {
  readonly mode: "SIMPLE" | "MUTUAL" | "OPTIONAL_MUTUAL";
  /** One or two (RSA and ECDSA) server certificates. */
  readonly certificates: readonly CertificateRef[];
  /** Null when no client certificate plays a role and nothing about one is configured. */
  readonly clientValidation: ClientValidation | null;
  readonly alpn: readonly ("h2" | "http/1.1")[];
  readonly minVersion: TlsVersion;
  readonly maxVersion: TlsVersion;
  /** OpenSSL names in order; empty: the default list. */
  readonly cipherSuites: readonly string[];
  /** OpenSSL group names; empty: the default list. */
  readonly ecdhCurves: readonly string[];
}

/** A server certificate by the name of its secret resource. */
export interface CertificateRef {
  readonly secret: string;
  /** Set where the Gateway names files; Envoy's dump prints them. */
  readonly files: { readonly certificateChain: string; readonly privateKey: string } | null;
}

/** What a client certificate is checked against. Whatever is named here and cannot be loaded closes the chain. */
export interface ClientValidation {
  /** Secret resource holding the CA bundle; null (1.0's SANs without a CA): every client certificate is refused. */
  readonly trustedCa: string | null;
  readonly trustedCaFile: string | null;
  readonly crl: string | null;
  readonly crlFile: string | null;
  /** Exact names; a certificate passes when any of its SANs equals any of these (istio-semantics 1.1). */
  readonly subjectAltNames: readonly string[];
  /** Base64 SHA-256 of the SubjectPublicKeyInfo. With `certificateHashes`, a match in either accepts. */
  readonly spkiHashes: readonly string[];
  /** Lower-case hex SHA-256 of the certificate, without colons. */
  readonly certificateHashes: readonly string[];
  /** Validate, but let through (`insecureSkipVerify`). */
  readonly acceptUntrusted: boolean;
}

/** Certificates and keys, from a Secret, a ConfigMap or files. */
export interface SecretResource {
  /** `kubernetes://ns/name`, `kubernetes://ns/name-cacert`, `file-cert:<crt>~<key>`, `file-root:<path>`, `file-crl:<path>`. */
  readonly name: string;
  /** `missing` and `invalid` close the chains that name it; the others serve. */
  readonly status: "ready" | "missing" | "invalid";
  /** Why it is not ready; empty when it is. */
  readonly reason: string;
  /** PEM, leaf first. */
  readonly certificateChain: string | null;
  readonly privateKey: SecretText | null;
  /** PEM bundle of client CAs. */
  readonly trustedCa: string | null;
  /** PEM certificate revocation lists. */
  readonly crl: string | null;
}

/** The routes of one listener port (cleartext) or one server (TLS). */
export interface RouteConfig {
  /** `http.80`, `https.443.<portName>.<gateway>.<namespace>`, with `.<bind>` where a bind is set. */
  readonly name: string;
  /** The Gateway server's port, which names virtual hosts. */
  readonly port: number;
  /** The parts that the istio-1.0 dialect prints instead of today's name: `https.443.https`. */
  readonly legacyName: string;
  /** Sorted by name. Never empty: without a bound VirtualService it holds `blackhole:<port>`. */
  readonly virtualHosts: readonly VirtualHost[];
}

/** A set of domains and their routes, in order: the first matching route wins. */
export interface VirtualHost {
  /** `host:port`, or `blackhole:<port>`. */
  readonly name: string;
  /** Lower case: exact, `*.suffix` or `*`. */
  readonly domains: readonly string[];
  /** 301 to https for every request that came in clear. */
  readonly requireTls: boolean;
  readonly routes: readonly Route[];
}
