// The schema of a VirtualService: names and types of its fields. What goes together with what is checked in files of their own.
import { z } from "zod";
import type { VirtualServiceSpec } from "../model/index.ts";
import type { LegacyHeaderFields } from "./legacy-headers.ts";
import { portNumber, text, textList, textMap } from "./primitives.ts";
import { stringMatch } from "./string-match.ts";

/** protobuf's int32, of which these fields use what is not negative. */
const wholeNumber = z.int().min(0).max(2_147_483_647);

const stringMatches = z.record(z.string(), stringMatch);

const scopedMatch = {
  port: portNumber.optional(),
  gateways: textList.optional(),
  sourceLabels: textMap.optional(),
  sourceNamespace: text.optional(),
};

const matchRequest = z.strictObject({
  ...scopedMatch,
  name: text.optional(),
  uri: stringMatch.optional(),
  scheme: stringMatch.optional(),
  method: stringMatch.optional(),
  authority: stringMatch.optional(),
  headers: stringMatches.optional(),
  withoutHeaders: stringMatches.optional(),
  queryParams: stringMatches.optional(),
  ignoreUriCase: z.boolean().optional(),
});

const headerOperations = z.strictObject({
  set: textMap.optional(),
  add: textMap.optional(),
  remove: textList.optional(),
});

const headerRules = z.strictObject({ request: headerOperations.optional(), response: headerOperations.optional() });

const legacyHeaders = {
  appendHeaders: textMap.optional(),
  appendRequestHeaders: textMap.optional(),
  appendResponseHeaders: textMap.optional(),
  removeRequestHeaders: textList.optional(),
  removeResponseHeaders: textList.optional(),
};

const destination = z.strictObject({
  host: text,
  subset: text.optional(),
  port: z.strictObject({ number: portNumber }).optional(),
});

const routeDestination = z.strictObject({ destination, weight: wholeNumber.optional() });

const httpRouteDestination = routeDestination.extend({ headers: headerRules.optional(), ...legacyHeaders });

const percentage = z.strictObject({ value: z.number().optional() });

const redirect = z.strictObject({
  uri: text.optional(),
  prefixRewrite: text.optional(),
  authority: text.optional(),
  port: portNumber.optional(),
  derivePort: z.enum(["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"]).optional(),
  scheme: z.enum(["http", "https"]).optional(),
  redirectCode: wholeNumber.optional(),
});

const directResponse = z.strictObject({
  status: wholeNumber,
  body: z.strictObject({ string: text.optional(), bytes: text.optional() }).optional(),
});

const rewrite = z.strictObject({
  uri: text.optional(),
  authority: text.optional(),
  uriRegexRewrite: z.strictObject({ match: text, rewrite: text }).optional(),
});

const retries = z.strictObject({
  attempts: wholeNumber.optional(),
  perTryTimeout: text.optional(),
  retryOn: text.optional(),
  retryRemoteLocalities: z.boolean().optional(),
  retryIgnorePreviousHosts: z.boolean().optional(),
  backoff: text.optional(),
});

const fault = z.strictObject({
  delay: z
    .strictObject({ percentage: percentage.optional(), percent: wholeNumber.optional(), fixedDelay: text.optional() })
    .optional(),
  abort: z
    .strictObject({
      percentage: percentage.optional(),
      httpStatus: wholeNumber.optional(),
      grpcStatus: text.optional(),
    })
    .optional(),
});

const corsPolicy = z.strictObject({
  allowOrigins: z.array(stringMatch).optional(),
  allowOrigin: textList.optional(),
  allowMethods: textList.optional(),
  allowHeaders: textList.optional(),
  exposeHeaders: textList.optional(),
  maxAge: text.optional(),
  allowCredentials: z.boolean().optional(),
  unmatchedPreflights: z.enum(["UNSPECIFIED", "FORWARD", "IGNORE"]).optional(),
});

const httpRule = z.strictObject({
  name: text.optional(),
  match: z.array(matchRequest).optional(),
  route: z.array(httpRouteDestination).optional(),
  redirect: redirect.optional(),
  directResponse: directResponse.optional(),
  delegate: z.strictObject({ name: text, namespace: text.optional() }).optional(),
  rewrite: rewrite.optional(),
  timeout: text.optional(),
  retries: retries.optional(),
  fault: fault.optional(),
  mirror: destination.optional(),
  mirrorPercentage: percentage.optional(),
  mirrorPercent: wholeNumber.optional(),
  mirrors: z.array(z.strictObject({ destination, percentage: percentage.optional() })).optional(),
  corsPolicy: corsPolicy.optional(),
  headers: headerRules.optional(),
  ...legacyHeaders,
});

const tlsRule = z.strictObject({
  match: z.array(z.strictObject({ ...scopedMatch, sniHosts: z.array(text).min(1) })).min(1),
  route: z.array(routeDestination).optional(),
});

const tcpRule = z.strictObject({
  match: z.array(z.strictObject(scopedMatch)).optional(),
  route: z.array(routeDestination).optional(),
});

const noHosts: string[] = [];

/** As written: rules and destinations may still have Istio 1.0's header fields. */
export interface WrittenVirtualServiceSpec extends Omit<VirtualServiceSpec, "http"> {
  readonly http?: readonly WrittenHttpRule[] | undefined;
}

type ModernHttpRule = NonNullable<VirtualServiceSpec["http"]>[number];

export interface WrittenHttpRule extends Omit<ModernHttpRule, "route">, LegacyHeaderFields {
  readonly route?: readonly (NonNullable<ModernHttpRule["route"]>[number] & LegacyHeaderFields)[] | undefined;
}

export const virtualServiceSpec: z.ZodType<WrittenVirtualServiceSpec> = z.strictObject({
  hosts: textList.default(noHosts),
  gateways: textList.optional(),
  exportTo: textList.optional(),
  http: z.array(httpRule).optional(),
  tls: z.array(tlsRule).optional(),
  tcp: z.array(tcpRule).optional(),
});
