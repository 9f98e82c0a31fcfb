// Cross-origin policies (istio-semantics 2.5, CORS): what is the same for every answer is put together here.
import { type CorsPolicy, type CorsPolicySpec, parseDurationMs, type ValueMatch } from "../model/index.ts";
import { buildValueMatch } from "./route-match.ts";

export function buildCors(policy: CorsPolicySpec | undefined): CorsPolicy | null {
  if (policy === undefined) return null;
  return {
    allowOrigins: allowedOrigins(policy),
    allowMethods: (policy.allowMethods ?? []).join(","),
    allowHeaders: (policy.allowHeaders ?? []).join(","),
    exposeHeaders: (policy.exposeHeaders ?? []).join(","),
    maxAgeSeconds: wholeSeconds(policy.maxAge),
    allowCredentials: policy.allowCredentials === true,
    forwardsUnmatchedPreflights: policy.unmatchedPreflights !== "IGNORE",
  };
}

function wholeSeconds(text: string | undefined): number | null {
  const durationMs = text === undefined ? null : parseDurationMs(text);
  return durationMs === null ? null : Math.floor(durationMs / 1000);
}

/** The deprecated list of plain origins counts only where the other one is not given. */
function allowedOrigins({ allowOrigins = [], allowOrigin = [] }: CorsPolicySpec): readonly ValueMatch[] {
  if (allowOrigins.length > 0) return allowOrigins.map(buildValueMatch);
  return allowOrigin.map((value) => ({ kind: "exact", value }));
}
