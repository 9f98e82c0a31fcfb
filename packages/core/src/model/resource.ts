// Documents that passed their schema, typed. What `validate` returns and `compile` reads: keys in camelCase, absent optional
// fields undefined, defaults not yet applied.
import type { DestinationRuleSpec } from "./destination-rule.ts";
import type { SourceDocument } from "./document.ts";
import type { EndpointSliceSpec, EndpointsSpec, PodSpec, ServiceSpec } from "./kubernetes.ts";
import type { ServiceEntrySpec, WorkloadEntrySpec } from "./service-entry.ts";
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
  readonly workloadEntries: readonly Resource<WorkloadEntrySpec>[];
  readonly services: readonly Resource<ServiceSpec>[];
  readonly endpoints: readonly Resource<EndpointsSpec>[];
  readonly endpointSlices: readonly Resource<EndpointSliceSpec>[];
  readonly pods: readonly Resource<PodSpec>[];
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

/** Secret or ConfigMap content, decoded: `data` of a Secret from base64, `stringData` and ConfigMap `data` as written. */
export interface KeyValueSpec {
  readonly values: Readonly<Record<string, string>>;
}
