// `spec` of a VirtualService, as validated. Durations are Go's (`1.5s`): see `parseDurationMs`.

export interface VirtualServiceSpec {
  /** Empty: a delegate, whose rules other VirtualServices take in. */
  readonly hosts: readonly string[];
  /** Absent means `["mesh"]`, so not on any ingress. */
  readonly gateways?: readonly string[] | undefined;
  readonly exportTo?: readonly string[] | undefined;
  readonly http?: readonly HttpRule[] | undefined;
  readonly tls?: readonly TlsRule[] | undefined;
  readonly tcp?: readonly TcpRule[] | undefined;
}

/** One of route, redirect, directResponse and delegate says where its requests go. */
export interface HttpRule {
  readonly name?: string | undefined;
  readonly match?: readonly HttpMatchRequest[] | undefined;
  readonly route?: readonly HttpRouteDestination[] | undefined;
  readonly redirect?: HttpRedirect | undefined;
  readonly directResponse?: HttpDirectResponse | undefined;
  readonly delegate?: Delegate | undefined;
  readonly rewrite?: HttpRewrite | undefined;
  /** `0s`: never. */
  readonly timeout?: string | undefined;
  readonly retries?: HttpRetry | undefined;
  readonly fault?: HttpFault | undefined;
  readonly mirror?: Destination | undefined;
  readonly mirrorPercentage?: Percentage | undefined;
  /** Deprecated. */
  readonly mirrorPercent?: number | undefined;
  readonly mirrors?: readonly HttpMirror[] | undefined;
  readonly corsPolicy?: CorsPolicySpec | undefined;
  readonly headers?: HeaderRules | undefined;
}

/** What a client cannot decide: matches are in or out on a gateway as a whole. */
export interface ScopedMatch {
  readonly port?: number | undefined;
  readonly gateways?: readonly string[] | undefined;
  readonly sourceLabels?: Readonly<Record<string, string>> | undefined;
  readonly sourceNamespace?: string | undefined;
}

/** Exactly one of the three is set. An empty object (`{}`) is a presence match on headers. */
export interface StringMatch {
  readonly exact?: string | undefined;
  readonly prefix?: string | undefined;
  readonly regex?: string | undefined;
}

export type NamedMatches = Readonly<Record<string, StringMatch>>;

export interface HttpMatchRequest extends ScopedMatch {
  readonly name?: string | undefined;
  readonly uri?: StringMatch | undefined;
  readonly scheme?: StringMatch | undefined;
  readonly method?: StringMatch | undefined;
  readonly authority?: StringMatch | undefined;
  /** Names in lower case. */
  readonly headers?: NamedMatches | undefined;
  readonly withoutHeaders?: NamedMatches | undefined;
  readonly queryParams?: NamedMatches | undefined;
  readonly ignoreUriCase?: boolean | undefined;
}

export interface Destination {
  readonly host: string;
  readonly subset?: string | undefined;
  readonly port?: { readonly number: number } | undefined;
}

export interface RouteDestination {
  readonly destination: Destination;
  readonly weight?: number | undefined;
}

export interface HttpRouteDestination extends RouteDestination {
  readonly headers?: HeaderRules | undefined;
}

/** Exactly as in Istio: `uri` replaces the path, `prefixRewrite` what a prefix match took. */
export interface HttpRedirect {
  readonly uri?: string | undefined;
  readonly prefixRewrite?: string | undefined;
  readonly authority?: string | undefined;
  readonly port?: number | undefined;
  readonly derivePort?: "FROM_PROTOCOL_DEFAULT" | "FROM_REQUEST_PORT" | undefined;
  readonly scheme?: "http" | "https" | undefined;
  readonly redirectCode?: number | undefined;
}

export interface HttpDirectResponse {
  readonly status: number;
  /** `bytes` is base64. */
  readonly body?: { readonly string?: string | undefined; readonly bytes?: string | undefined } | undefined;
}

export interface Delegate {
  readonly name: string;
  /** The VirtualService's own when absent. */
  readonly namespace?: string | undefined;
}

export interface HttpRewrite {
  readonly uri?: string | undefined;
  readonly authority?: string | undefined;
  readonly uriRegexRewrite?: { readonly match: string; readonly rewrite: string } | undefined;
}

export interface HttpRetry {
  /** 0: none. */
  readonly attempts?: number | undefined;
  readonly perTryTimeout?: string | undefined;
  /** Envoy's conditions and status codes, separated by commas. */
  readonly retryOn?: string | undefined;
  readonly retryRemoteLocalities?: boolean | undefined;
  readonly retryIgnorePreviousHosts?: boolean | undefined;
  readonly backoff?: string | undefined;
}

/** 0 to 100. */
export interface Percentage {
  readonly value?: number | undefined;
}

export interface HttpFault {
  readonly delay?:
    | {
        readonly percentage?: Percentage | undefined;
        /** Deprecated. */
        readonly percent?: number | undefined;
        readonly fixedDelay?: string | undefined;
      }
    | undefined;
  readonly abort?:
    | {
        readonly percentage?: Percentage | undefined;
        readonly httpStatus?: number | undefined;
        /** A name (`UNAVAILABLE`) or a number. */
        readonly grpcStatus?: string | undefined;
      }
    | undefined;
}

export interface HttpMirror {
  readonly destination: Destination;
  readonly percentage?: Percentage | undefined;
}

export interface CorsPolicySpec {
  readonly allowOrigins?: readonly StringMatch[] | undefined;
  /** Deprecated. */
  readonly allowOrigin?: readonly string[] | undefined;
  readonly allowMethods?: readonly string[] | undefined;
  readonly allowHeaders?: readonly string[] | undefined;
  readonly exposeHeaders?: readonly string[] | undefined;
  readonly maxAge?: string | undefined;
  readonly allowCredentials?: boolean | undefined;
  readonly unmatchedPreflights?: "UNSPECIFIED" | "FORWARD" | "IGNORE" | undefined;
}

export interface HeaderRules {
  readonly request?: HeaderRuleOperations | undefined;
  readonly response?: HeaderRuleOperations | undefined;
}

export interface HeaderRuleOperations {
  readonly set?: Readonly<Record<string, string>> | undefined;
  readonly add?: Readonly<Record<string, string>> | undefined;
  readonly remove?: readonly string[] | undefined;
}

/** Connections of a PASSTHROUGH server, told apart by SNI. */
export interface TlsRule {
  readonly match: readonly TlsMatchRequest[];
  readonly route?: readonly RouteDestination[] | undefined;
}

export interface TlsMatchRequest extends ScopedMatch {
  /** Exact names or `*.suffix`, each covered by the VirtualService's hosts. */
  readonly sniHosts: readonly string[];
}

/** Connections of a TCP server. */
export interface TcpRule {
  readonly match?: readonly ScopedMatch[] | undefined;
  readonly route?: readonly RouteDestination[] | undefined;
}
