// Kubernetes' own kinds as checked: the parts that an ingress reads.

/** The parts of a Kubernetes Service that an ingress reads. */
export interface ServiceSpec {
  /** Set on a Service of type ExternalName: another name for this host. */
  readonly externalName?: string | undefined;
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
  readonly addresses?: readonly EndpointAddress[] | undefined;
  readonly notReadyAddresses?: readonly EndpointAddress[] | undefined;
  readonly ports?: readonly { readonly name?: string | undefined; readonly port: number }[] | undefined;
}

export interface EndpointAddress {
  readonly ip: string;
  readonly nodeName?: string | undefined;
  readonly targetRef?: TargetRef | undefined;
}

/** The object behind an address: a Pod as a rule. */
export interface TargetRef {
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  /** Absent: that of the object that holds this. */
  readonly namespace?: string | undefined;
}

/** discovery.k8s.io/v1 EndpointSlice; its service is the label `kubernetes.io/service-name`. */
export interface EndpointSliceSpec {
  readonly addressType?: string | undefined;
  readonly endpoints: readonly SliceEndpoint[];
  readonly ports?:
    | readonly { readonly name?: string | null | undefined; readonly port?: number | null | undefined }[]
    | undefined;
}

export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly conditions?: EndpointConditions | undefined;
  readonly targetRef?: TargetRef | undefined;
  readonly nodeName?: string | undefined;
  readonly zone?: string | undefined;
  readonly hints?: { readonly forZones?: readonly { readonly name: string }[] | undefined } | undefined;
}

/** Null means unknown. */
export interface EndpointConditions {
  readonly ready?: boolean | null | undefined;
  readonly serving?: boolean | null | undefined;
  readonly terminating?: boolean | null | undefined;
}

/** A v1 Pod; `spec` here is its address and state. Its labels are the resource's. */
export interface PodSpec {
  /** Absent while the Pod has none. */
  readonly ip?: string | undefined;
  readonly nodeName?: string | undefined;
  readonly isReady: boolean;
}
