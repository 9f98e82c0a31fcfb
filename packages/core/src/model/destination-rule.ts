// DestinationRule as checked: what is said of the clusters of a host (istio-semantics 1.3). Defaults are not applied yet.

export interface DestinationRuleSpec {
  readonly host: string;
  readonly exportTo?: readonly string[] | undefined;
  /** Gateways of the rule's namespace that the rule is for; absent: all that see it. */
  readonly workloadSelector?: { readonly matchLabels?: Readonly<Record<string, string>> | undefined } | undefined;
  readonly trafficPolicy?: TrafficPolicy | undefined;
  readonly subsets?: readonly Subset[] | undefined;
}

/** Endpoints of a host by their labels. Exists for routes that name it only. */
export interface Subset {
  readonly name: string;
  /** Absent or empty: every endpoint. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Overrides the rule's own, field by field. */
  readonly trafficPolicy?: TrafficPolicy | undefined;
}

/** Settings of a port replace those of the destination as a whole: what they leave out is Istio's default. */
export interface TrafficPolicy extends PortTrafficPolicy {
  readonly proxyProtocol?: { readonly version?: "V1" | "V2" | undefined } | undefined;
  readonly retryBudget?: RetryBudgetSettings | undefined;
  readonly portLevelSettings?:
    | readonly (PortTrafficPolicy & { readonly port: { readonly number: number } })[]
    | undefined;
}

export interface PortTrafficPolicy {
  readonly connectionPool?: ConnectionPoolSettings | undefined;
  readonly loadBalancer?: LoadBalancerSettings | undefined;
  readonly outlierDetection?: OutlierDetectionSettings | undefined;
  readonly tls?: ClientTlsSettings | undefined;
}

/** At most one of `simple` and `consistentHash` is set. */
export interface LoadBalancerSettings {
  readonly simple?:
    | "UNSPECIFIED"
    | "LEAST_CONN"
    | "LEAST_REQUEST"
    | "ROUND_ROBIN"
    | "RANDOM"
    | "PASSTHROUGH"
    | undefined;
  readonly consistentHash?: ConsistentHashSettings | undefined;
  readonly localityLbSetting?: LocalitySettings | undefined;
  readonly warmup?: WarmupSettings | undefined;
  /** A duration: the old spelling of `warmup.duration`. */
  readonly warmupDurationSecs?: string | undefined;
}

/** At most one key is set; without one, requests are spread at random. */
export interface ConsistentHashSettings {
  readonly httpHeaderName?: string | undefined;
  readonly httpCookie?: HashCookie | undefined;
  readonly useSourceIp?: boolean | undefined;
  readonly httpQueryParameterName?: string | undefined;
  readonly ringHash?: { readonly minimumRingSize?: number | undefined } | undefined;
  readonly maglev?: { readonly tableSize?: number | undefined } | undefined;
  /** The old spelling of `ringHash.minimumRingSize`. */
  readonly minimumRingSize?: number | undefined;
}

export interface HashCookie {
  readonly name: string;
  readonly path?: string | undefined;
  /** Absent: an absent cookie is not made. `0s`: a session cookie. */
  readonly ttl?: string | undefined;
  readonly attributes?: readonly { readonly name: string; readonly value?: string | undefined }[] | undefined;
}

/** At most one of `distribute` and `failover` is set. */
export interface LocalitySettings {
  readonly enabled?: boolean | undefined;
  readonly distribute?: readonly LocalityShares[] | undefined;
  readonly failover?: readonly RegionFailover[] | undefined;
  /** Labels, most telling first: `key`, or `key=value` where the gateway's own value is not meant. */
  readonly failoverPriority?: readonly string[] | undefined;
}

/** `from` and the keys of `to` are localities, the last part of which may be `*`; shares are percentages that add up to 100. */
export interface LocalityShares {
  readonly from?: string | undefined;
  readonly to?: Readonly<Record<string, number>> | undefined;
}

/** Both are regions. */
export interface RegionFailover {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export interface WarmupSettings {
  readonly duration: string;
  readonly minimumPercent?: number | undefined;
  readonly aggression?: number | undefined;
}

export interface OutlierDetectionSettings {
  readonly consecutive5xxErrors?: number | undefined;
  readonly consecutiveGatewayErrors?: number | undefined;
  readonly consecutiveLocalOriginFailures?: number | undefined;
  readonly splitExternalLocalOriginErrors?: boolean | undefined;
  readonly outlierDetectionHttpErrorCodes?: readonly number[] | undefined;
  readonly interval?: string | undefined;
  readonly baseEjectionTime?: string | undefined;
  readonly maxEjectionPercent?: number | undefined;
  readonly minHealthPercent?: number | undefined;
}

export interface RetryBudgetSettings {
  readonly percent?: number | undefined;
  readonly minRetryConcurrency?: number | undefined;
  readonly budgetInterval?: string | undefined;
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
  readonly maxRetries?: number | undefined;
  readonly idleTimeout?: string | undefined;
  readonly h2UpgradePolicy?: "DEFAULT" | "DO_NOT_UPGRADE" | "UPGRADE" | undefined;
  readonly useClientProtocol?: boolean | undefined;
  readonly maxConcurrentStreams?: number | undefined;
  readonly http2KeepAlive?: { readonly interval: string; readonly timeout: string } | undefined;
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
