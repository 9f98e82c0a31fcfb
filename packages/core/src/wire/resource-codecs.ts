// The shape of every resource on the wire. Encoding and checking both follow these descriptions; a field added to the table belongs here.
import { SecretText } from "../model/index.ts";
import type {
  CertificateRef,
  ClientValidation,
  FilterChain,
  Listener,
  NetworkForward,
  ObjectRef,
  RouteConfig,
  SecretResource,
  TlsContext,
  VirtualHost,
  WeightedCluster,
} from "../model/index.ts";
import { flag, list, nonEmpty, nullable, object, oneOf, port, positive, text } from "./codec.ts";
import type { Codec } from "./codec.ts";
import { route } from "./route-codecs.ts";

export { clusterCodec } from "./cluster-codecs.ts";

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

const filterChain = object<FilterChain>({
  name: text,
  serverNames: list(text),
  tls: nullable(tlsContext),
  routeConfig: nullable(text),
  forward: nullable(
    object<NetworkForward>({
      clusters: nonEmpty(list(object<WeightedCluster>({ cluster: text, weight: positive }))),
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

export const virtualHostCodec = object<VirtualHost>({
  name: text,
  domains: list(text),
  requireTls: flag,
  routes: list(route),
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
