// Routes of the table: what a request must look like, and everything that is done with one that does.
import type { ObjectRef } from "./table.ts";

/** One match of one HTTP rule and where it leads. */
export interface Route {
  /** `http[].name`, with `.match.name`; empty when unnamed. */
  readonly name: string;
  readonly virtualService: ObjectRef & { readonly apiVersion: string };
  /** Index of the rule in `spec.http` (delegates put in) and of the match inside the rule; -1 for a rule without match. */
  readonly rule: { readonly http: number; readonly match: number };
  readonly match: RouteMatch;
  readonly action: RouteAction;
  /** What is done to its requests before the action; null (most routes): nothing. */
  readonly policy: RoutePolicy | null;
  /** Envoy's decorator: `httpbin.default.svc.cluster.local:8000/status*`. */
  readonly operation: string;
}

/** Where a matched request goes. */
export type RouteAction = ForwardAction | RedirectAction | DirectResponseAction;

export interface ForwardAction {
  readonly kind: "forward";
  /** One or more; weights are relative and positive. A single destination has weight 1. */
  readonly clusters: readonly WeightedDestination[];
  /** For the whole exchange with the upstream, retries included; 0: never. */
  readonly timeoutMs: number;
  /** Null: none. */
  readonly retry: RetryPolicy | null;
  readonly rewrite: Rewrite | null;
  readonly mirrors: readonly Mirror[];
}

/** An answer that leads elsewhere. What is null stays as the request has it. */
export interface RedirectAction {
  readonly kind: "redirect";
  /** 301, 302, 303, 307 or 308. */
  readonly status: number;
  readonly scheme: "http" | "https" | null;
  /** A host, with a port where the redirect names one in it. */
  readonly host: string | null;
  /** Null: the request's, without the default port of the scheme it leaves. */
  readonly port: number | null;
  /** `full` replaces the path (and the query, where the value holds one); `prefix` the part that a prefix match took. */
  readonly path: { readonly kind: "full" | "prefix"; readonly value: string } | null;
}

/** An answer without an upstream. */
export interface DirectResponseAction {
  readonly kind: "direct-response";
  readonly status: number;
  /** Empty: none. */
  readonly body: Uint8Array;
}

export interface WeightedCluster {
  /** May name a cluster that is not in the table: 503 NC at request time. */
  readonly cluster: string;
  readonly weight: number;
}

/** A destination of HTTP requests. */
export interface WeightedDestination extends WeightedCluster {
  /** Of this destination only; a route with one destination has them in its policy. */
  readonly headers: HeaderPolicy | null;
  /** Of the requests to this destination, where the route's rewrite names none; with one destination the rewrite has it. */
  readonly authority: string | null;
}

/** Optional work on the requests of a route; what is null costs nothing. */
export interface RoutePolicy {
  readonly fault: FaultPolicy | null;
  readonly cors: CorsPolicy | null;
  readonly headers: HeaderPolicy | null;
}

export interface HeaderPolicy {
  readonly request: HeaderOperations;
  readonly response: HeaderOperations;
}

/** Applied as Envoy does: `remove`, then `set` (replaces or adds), then `add`. Names are lower case; each list is sorted by name. */
export interface HeaderOperations {
  readonly remove: readonly string[];
  readonly set: readonly HeaderValue[];
  readonly add: readonly HeaderValue[];
}

/** The value may hold Envoy's command operators, such as `%DOWNSTREAM_REMOTE_ADDRESS%`; `%%` is a percent sign. */
export interface HeaderValue {
  readonly name: string;
  readonly value: string;
}

/** Applied after matching. The authority is that of the request sent upstream. */
export interface Rewrite {
  readonly path: PathRewrite | null;
  readonly authority: string | null;
}

/** `prefix`: the value takes the place of what the match took (all of an exact path). `regex`: every match of the RE2 pattern, `\\1` being its groups. */
export type PathRewrite =
  | { readonly kind: "prefix"; readonly value: string }
  | { readonly kind: "regex"; readonly pattern: string; readonly substitution: string };

/** When a request is sent again (Envoy's `retry_on`). */
export interface RetryPolicy {
  /** Besides the first. */
  readonly attempts: number;
  /** Envoy's names: `5xx`, `connect-failure`, `unavailable`, ... Sorted as written. */
  readonly conditions: readonly string[];
  /** For `retriable-status-codes`. */
  readonly statusCodes: readonly number[];
  /** 0: the route's. */
  readonly perTryTimeoutMs: number;
  /** Exponential with full jitter from this, ten times it at most. */
  readonly backoffBaseMs: number;
  /** Another endpoint than those tried, if there is one. */
  readonly avoidsPreviousHosts: boolean;
  /** Endpoints of other localities too. */
  readonly triesRemoteLocalities: boolean;
}

/** Istio's, for a route that says nothing (istio-semantics 2.6). */
export const defaultRetryPolicy: RetryPolicy = {
  attempts: 2,
  conditions: ["connect-failure", "refused-stream", "unavailable", "cancelled", "retriable-status-codes"],
  statusCodes: [],
  perTryTimeoutMs: 0,
  backoffBaseMs: 25,
  avoidsPreviousHosts: true,
  triesRemoteLocalities: false,
};

/** A copy of a request, whose answer nobody reads. */
export interface Mirror {
  readonly cluster: string;
  /** 0 to 100. */
  readonly percentage: number;
}

/** Errors made on purpose. Percentages are 0 to 100. */
export interface FaultPolicy {
  readonly delay: { readonly percentage: number; readonly durationMs: number } | null;
  readonly abort: {
    readonly percentage: number;
    /** Exactly one of the two is set. */
    readonly httpStatus: number | null;
    readonly grpcStatus: number | null;
  } | null;
}

/** Who may read answers from another origin, and how preflights are answered. */
export interface CorsPolicy {
  readonly allowOrigins: readonly ValueMatch[];
  /** Header values as they are sent: joined by `,`; empty: not sent. */
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  /** Null: not sent. */
  readonly maxAgeSeconds: number | null;
  readonly allowCredentials: boolean;
  /** A preflight from an origin that is not allowed goes upstream; otherwise it is answered without CORS headers. */
  readonly forwardsUnmatchedPreflights: boolean;
}

/** All predicates must hold (AND). */
export interface RouteMatch {
  readonly path: PathMatch;
  /** Sorted by name; then `:method`, `:authority`, `:scheme`, as Istio compiles them. */
  readonly headers: readonly HeaderMatch[];
  readonly queryParams: readonly QueryParamMatch[];
}

/** Prefix is a plain string prefix: `/get` matches `/getx`. The query string takes no part. */
export interface PathMatch {
  readonly kind: "prefix" | "exact" | "regex";
  readonly value: string;
  readonly ignoreCase: boolean;
}

/** RE2 for `regex`, always a full match. */
export interface ValueMatch {
  readonly kind: "exact" | "prefix" | "regex" | "present";
  /** Empty for `present`. */
  readonly value: string;
}

/** `name` is lower case or one of the pseudo headers `:method`, `:authority`, `:scheme`. */
export interface HeaderMatch extends ValueMatch {
  readonly name: string;
  /** `withoutHeaders`: the request matches when the header does not. A missing header counts as empty. */
  readonly invert: boolean;
}

export interface QueryParamMatch extends ValueMatch {
  readonly name: string;
}

/** Sends requests to one cluster and does nothing else to them. */
export function forwardTo(clusters: readonly WeightedCluster[]): ForwardAction {
  const plain = clusters.map((destination) => ({ ...destination, headers: null, authority: null }));
  return { kind: "forward", clusters: plain, timeoutMs: 0, retry: defaultRetryPolicy, rewrite: null, mirrors: [] };
}
