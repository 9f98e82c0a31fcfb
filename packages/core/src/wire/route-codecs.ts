// The shape of a route on the wire.
import { defaultRetryPolicy } from "../model/index.ts";
import type {
  CorsPolicy,
  DirectResponseAction,
  FaultPolicy,
  ForwardAction,
  HeaderMatch,
  HeaderOperations,
  HeaderPolicy,
  HeaderValue,
  Mirror,
  PathMatch,
  PathRewrite,
  QueryParamMatch,
  RedirectAction,
  RetryPolicy,
  Rewrite,
  Route,
  RouteAction,
  RouteMatch,
  RoutePolicy,
  ValueMatch,
  WeightedDestination,
} from "../model/index.ts";
import {
  byKind,
  ownBytes,
  count,
  flag,
  integer,
  list,
  nonEmpty,
  nullable,
  object,
  oneOf,
  percentage,
  port,
  positive,
  recurring,
  text,
} from "./codec.ts";
import type { Codec } from "./codec.ts";

const valueKind = oneOf("exact", "prefix", "regex", "present");

const routeMatch = object<RouteMatch>({
  path: object<PathMatch>({ kind: oneOf("prefix", "exact", "regex"), value: text, ignoreCase: flag }),
  headers: list(object<HeaderMatch>({ name: text, kind: valueKind, value: text, invert: flag })),
  queryParams: list(object<QueryParamMatch>({ name: text, kind: valueKind, value: text })),
});

const headerValues = list(object<HeaderValue>({ name: text, value: text }));

const headerOperations = object<HeaderOperations>({ remove: list(text), set: headerValues, add: headerValues });

const headerPolicy = nullable(object<HeaderPolicy>({ request: headerOperations, response: headerOperations }));

const retryPolicy = object<RetryPolicy>({
  attempts: count,
  conditions: list(text),
  statusCodes: list(count),
  perTryTimeoutMs: count,
  backoffBaseMs: count,
  avoidsPreviousHosts: flag,
  triesRemoteLocalities: flag,
});

/** Nearly every route has Istio's default: one word on the wire, one object in memory. */
const sharedRetryPolicy: Codec<RetryPolicy> = {
  encode: (policy) => (policy === defaultRetryPolicy ? "default" : retryPolicy.encode(policy)),
  decode: (value) => (value === "default" ? defaultRetryPolicy : retryPolicy.decode(value)),
};

const forward = object<ForwardAction>({
  kind: oneOf("forward"),
  clusters: nonEmpty(
    list(
      object<WeightedDestination>({
        cluster: text,
        weight: positive,
        headers: headerPolicy,
        authority: nullable(text),
      }),
    ),
  ),
  timeoutMs: count,
  retry: nullable(sharedRetryPolicy),
  rewrite: nullable(
    object<Rewrite>({
      path: nullable(
        byKind<PathRewrite>({
          prefix: object({ kind: oneOf("prefix"), value: text }),
          regex: object({ kind: oneOf("regex"), pattern: text, substitution: text }),
        }),
      ),
      authority: nullable(text),
    }),
  ),
  mirrors: list(object<Mirror>({ cluster: text, percentage })),
});

const redirect = object<RedirectAction>({
  kind: oneOf("redirect"),
  status: count,
  scheme: nullable(oneOf("http", "https")),
  host: nullable(text),
  port: nullable(port),
  path: nullable(object({ kind: oneOf("full", "prefix"), value: text })),
});

const directResponse = object<DirectResponseAction>({ kind: oneOf("direct-response"), status: count, body: ownBytes });

const routePolicy = object<RoutePolicy>({
  fault: nullable(
    object<FaultPolicy>({
      delay: nullable(object({ percentage, durationMs: count })),
      abort: nullable(object({ percentage, httpStatus: nullable(count), grpcStatus: nullable(count) })),
    }),
  ),
  cors: nullable(
    object<CorsPolicy>({
      allowOrigins: list(object<ValueMatch>({ kind: valueKind, value: text })),
      allowMethods: text,
      allowHeaders: text,
      exposeHeaders: text,
      maxAgeSeconds: nullable(count),
      allowCredentials: flag,
      forwardsUnmatchedPreflights: flag,
    }),
  ),
  headers: headerPolicy,
});

export const route = object<Route>({
  name: text,
  virtualService: recurring(object({ namespace: text, name: text, apiVersion: text })),
  rule: object({ http: integer, match: integer }),
  match: routeMatch,
  action: byKind<RouteAction>({ forward: recurring(forward), redirect, "direct-response": directResponse }),
  policy: nullable(recurring(routePolicy)),
  operation: text,
});
