// Documents that passed their schema, typed. What `validate` returns and `compile` reads: keys in camelCase, absent optional
// fields undefined, defaults not yet applied.
import type { SourceDocument } from "./document.ts";
import type { VirtualServiceSpec } from "./virtual-service.ts";

/** One checked document. `document` leads back to its lines. */
export interface Resource<Spec> {
  readonly document: SourceDocument;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** RFC 3339, or null. Istio orders by it, then by name and namespace. */
  readonly creationTimestamp: string | null;
  readonly spec: Spec;
}

/** Everything one configuration holds, each list in the order it was read. */
export interface ResourceSet {
  readonly gateways: readonly Resource<GatewaySpec>[];
  readonly virtualServices: readonly Resource<VirtualServiceSpec>[];
  readonly destinationRules: readonly Resource<DestinationRuleSpec>[];
  readonly serviceEntries: readonly Resource<ServiceEntrySpec>[];
  readonly services: readonly Resource<ServiceSpec>[];
  readonly endpoints: readonly Resource<EndpointsSpec>[];
  readonly endpointSlices: readonly Resource<EndpointSliceSpec>[];
  readonly secrets: readonly Resource<KeyValueSpec>[];
  readonly configMaps: readonly Resource<KeyValueSpec>[];
}

export interface GatewaySpec {
  readonly selector: Readonly<Record<string, string>>;
  readonly servers: readonly GatewayServer[];
}

export interface GatewayServer {
  readonly name?: string | undefined;
  readonly port: { readonly number: number; readonly name: string; readonly protocol: GatewayProtocol };
  readonly bind?: string | undefined;
  readonly hosts: readonly string[];
  readonly tls?: ServerTlsSettings | undefined;
}

/** Upper case, as validated. The first five are the HTTP family when cleartext. */
export type GatewayProtocol = "HTTP" | "HTTP2" | "GRPC" | "GRPC-WEB" | "HTTP_PROXY" | "HTTPS" | "TLS" | "TCP" | "MONGO";

export type TlsProtocolName = "TLS_AUTO" | "TLSV1_0" | "TLSV1_1" | "TLSV1_2" | "TLSV1_3";

export interface ServerTlsSettings {
  readonly httpsRedirect?: boolean | undefined;
  /** Absent means PASSTHROUGH, Istio's zero value. */
  readonly mode?: "PASSTHROUGH" | "SIMPLE" | "MUTUAL" | "OPTIONAL_MUTUAL" | undefined;
  readonly serverCertificate?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly caCertificates?: string | undefined;
  readonly caCrl?: string | undefined;
  readonly credentialName?: string | undefined;
  readonly credentialNames?: readonly string[] | undefined;
  readonly tlsCertificates?: readonly TlsCertificateFiles[] | undefined;
  readonly caCertCredentialName?: string | undefined;
  readonly subjectAltNames?: readonly string[] | undefined;
  readonly verifyCertificateSpki?: readonly string[] | undefined;
  readonly verifyCertificateHash?: readonly string[] | undefined;
  readonly minProtocolVersion?: TlsProtocolName | undefined;
  readonly maxProtocolVersion?: TlsProtocolName | undefined;
  readonly cipherSuites?: readonly string[] | undefined;
  readonly ecdhCurves?: readonly string[] | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
}

export interface TlsCertificateFiles {
  readonly serverCertificate?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly caCertificates?: string | undefined;
}

export interface DestinationRuleSpec {
  readonly host: string;
  readonly exportTo?: readonly string[] | undefined;
  readonly trafficPolicy?: TrafficPolicy | undefined;
}

/** Settings of a port replace those of the destination as a whole: what they leave out is Istio's default. */
export interface TrafficPolicy extends PortTrafficPolicy {
  readonly proxyProtocol?: { readonly version?: "V1" | "V2" | undefined } | undefined;
  readonly portLevelSettings?:
    | readonly (PortTrafficPolicy & { readonly port: { readonly number: number } })[]
    | undefined;
}

export interface PortTrafficPolicy {
  readonly connectionPool?: ConnectionPoolSettings | undefined;
  readonly tls?: ClientTlsSettings | undefined;
}

/** Durations are Go's (`1.5s`): see `parseDurationMs`. Numbers that are 0 mean without limit. */
export interface ConnectionPoolSettings {
  readonly tcp?: TcpPoolSettings | undefined;
  readonly http?: HttpPoolSettings | undefined;
}

export interface TcpPoolSettings {
  readonly maxConnections?: number | undefined;
  readonly connectTimeout?: string | undefined;
  readonly tcpKeepalive?: { readonly time?: string | undefined } | undefined;
  readonly maxConnectionDuration?: string | undefined;
  /** `0s`: never. */
  readonly idleTimeout?: string | undefined;
}

export interface HttpPoolSettings {
  readonly http1MaxPendingRequests?: number | undefined;
  readonly http2MaxRequests?: number | undefined;
  readonly maxRequestsPerConnection?: number | undefined;
  readonly idleTimeout?: string | undefined;
  readonly h2UpgradePolicy?: "DEFAULT" | "DO_NOT_UPGRADE" | "UPGRADE" | undefined;
  readonly useClientProtocol?: boolean | undefined;
  readonly maxConcurrentStreams?: number | undefined;
}

/** TLS towards an upstream. */
export interface ClientTlsSettings {
  readonly mode?: "DISABLE" | "SIMPLE" | "MUTUAL" | undefined;
  readonly clientCertificate?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly caCertificates?: string | undefined;
  readonly caCrl?: string | undefined;
  readonly credentialName?: string | undefined;
  readonly subjectAltNames?: readonly string[] | undefined;
  readonly sni?: string | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
}

export interface ServiceEntrySpec {
  readonly hosts: readonly string[];
  readonly addresses?: readonly string[] | undefined;
  readonly ports?: readonly ServiceEntryPort[] | undefined;
  readonly location?: "MESH_EXTERNAL" | "MESH_INTERNAL" | undefined;
  readonly resolution?: "STATIC" | "DNS" | undefined;
  readonly endpoints?: readonly WorkloadEndpoint[] | undefined;
  /** What an upstream's certificate must carry, unless a DestinationRule names something else. */
  readonly subjectAltNames?: readonly string[] | undefined;
  readonly exportTo?: readonly string[] | undefined;
}

export interface ServiceEntryPort {
  readonly number: number;
  readonly name: string;
  readonly protocol?: string | undefined;
  readonly targetPort?: number | undefined;
}

export interface WorkloadEndpoint {
  readonly address: string;
  readonly ports?: Readonly<Record<string, number>> | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly weight?: number | undefined;
}

/** The parts of a Kubernetes Service that an ingress reads. */
export interface ServiceSpec {
  readonly selector?: Readonly<Record<string, string>> | undefined;
  readonly ports?: readonly ServicePort[] | undefined;
}

export interface ServicePort {
  readonly name?: string | undefined;
  readonly port: number;
  readonly targetPort?: number | string | undefined;
  readonly protocol?: string | undefined;
  readonly appProtocol?: string | undefined;
}

/** v1 Endpoints; `spec` here is the document's `subsets`. */
export interface EndpointsSpec {
  readonly subsets: readonly EndpointSubset[];
}

export interface EndpointSubset {
  readonly addresses?: readonly { readonly ip: string }[] | undefined;
  readonly notReadyAddresses?: readonly { readonly ip: string }[] | undefined;
  readonly ports?: readonly { readonly name?: string | undefined; readonly port: number }[] | undefined;
}

/** discovery.k8s.io/v1 EndpointSlice; its service is the label `kubernetes.io/service-name`. */
export interface EndpointSliceSpec {
  readonly addressType?: string | undefined;
  readonly endpoints: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean | null | undefined } | undefined;
  }[];
  readonly ports?:
    | readonly { readonly name?: string | null | undefined; readonly port?: number | null | undefined }[]
    | undefined;
}

/** Secret or ConfigMap content, decoded: `data` of a Secret from base64, `stringData` and ConfigMap `data` as written. */
export interface KeyValueSpec {
  readonly values: Readonly<Record<string, string>>;
}
