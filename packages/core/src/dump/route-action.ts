// What a route does with its requests, in Envoy's shape: `route`, `redirect` or `directResponse`.
import { Buffer, isUtf8 } from "node:buffer";
import type { DirectResponseAction, ForwardAction, Mirror, RedirectAction, RouteAction } from "../model/index.ts";
import { dumpPercentage, formatDuration, type JsonObject, nonEmpty, optional } from "./json.ts";
import { dumpRetryPolicy } from "./retry-policy.ts";
import { dumpHeaderPolicy } from "./route-policy.ts";

export function dumpAction(action: RouteAction): JsonObject {
  switch (action.kind) {
    case "forward":
      return { route: dumpForward(action) };
    case "redirect":
      return { redirect: dumpRedirect(action) };
    case "direct-response":
      return { directResponse: dumpDirectResponse(action) };
  }
}

function dumpForward(action: ForwardAction): JsonObject {
  const { timeoutMs, retry, rewrite, mirrors } = action;
  const timeout = formatDuration(timeoutMs, "modern");
  const path = rewrite?.path ?? null;
  return {
    ...dumpClusters(action),
    ...(path?.kind === "prefix" ? { prefixRewrite: path.value } : {}),
    ...(path?.kind === "regex"
      ? { regexRewrite: { pattern: { regex: path.pattern }, substitution: path.substitution } }
      : {}),
    ...optional("hostRewriteLiteral", rewrite?.authority),
    timeout,
    ...optional("retryPolicy", retry === null ? null : dumpRetryPolicy(retry)),
    ...nonEmpty("requestMirrorPolicies", mirrors.map(dumpMirror)),
    // Istio limits what a client asks for in `grpc-timeout` by the route's own timeout.
    maxGrpcTimeout: timeout,
  };
}

function dumpClusters({ clusters }: ForwardAction): JsonObject {
  const [first] = clusters;
  if (clusters.length === 1 && first !== undefined) return { cluster: first.cluster };
  return {
    weightedClusters: {
      clusters: clusters.map(({ cluster, weight, headers, authority }) => ({
        name: cluster,
        weight,
        ...dumpHeaderPolicy(headers),
        ...optional("hostRewriteLiteral", authority),
      })),
    },
  };
}

function dumpMirror({ cluster, percentage }: Mirror): JsonObject {
  const runtimeFraction = { defaultValue: dumpPercentage(percentage) };
  return { cluster, runtimeFraction, traceSampled: false, disableShadowHostSuffixAppend: true };
}

/** Envoy's names of the codes. 301 is its zero value, which JSON leaves out. */
const redirectCodeNames: Readonly<Record<number, string>> = {
  302: "FOUND",
  303: "SEE_OTHER",
  307: "TEMPORARY_REDIRECT",
  308: "PERMANENT_REDIRECT",
};

/** The code that Envoy calls so; 301 for the name that JSON leaves out. */
export function redirectStatus(name: string): string {
  return Object.entries(redirectCodeNames).find(([, known]) => known === name)?.[0] ?? "301";
}

export function dumpRedirect({ status, scheme, host, port, path }: RedirectAction): JsonObject {
  return {
    ...optional("schemeRedirect", scheme),
    ...optional("hostRedirect", host),
    ...optional("portRedirect", port),
    ...(path === null ? {} : { [path.kind === "full" ? "pathRedirect" : "prefixRewrite"]: path.value }),
    ...optional("responseCode", redirectCodeNames[status]),
  };
}

export function dumpDirectResponse({ status, body }: DirectResponseAction): JsonObject {
  if (body.length === 0) return { status };
  const bytes = Buffer.from(body);
  const source = isUtf8(bytes) ? { inlineString: bytes.toString() } : { inlineBytes: bytes.toString("base64") };
  return { status, body: source };
}
