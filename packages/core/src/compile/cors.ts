// Cross-origin policies (istio-semantics 2.5, CORS): what is the same for every answer is put together here.
import type { CorsPolicy, CorsPolicySpec, ValueMatch } from "../model/index.ts";
import { buildValueMatch } from "./route-match.ts";
import { timerMs } from "./timer.ts";

export function buildCors(policy: CorsPolicySpec | undefined): CorsPolicy | null {
  if (policy === undefined) return null;
  return {
    allowOrigins: allowedOrigins(policy),
    allowMethods: (policy.allowMethods ?? []).join(","),
    allowHeaders: (policy.allowHeaders ?? []).join(","),
    exposeHeaders: (policy.exposeHeaders ?? []).join(","),
    maxAgeSeconds: policy.maxAge === undefined ? null : Math.floor(timerMs(policy.maxAge) / 1000),
    allowCredentials: policy.allowCredentials === true,
    forwardsUnmatchedPreflights: policy.unmatchedPreflights !== "IGNORE",
  };
}

/** The deprecated list of plain origins counts only where the other one is not given. */
function allowedOrigins({ allowOrigins = [], allowOrigin = [] }: CorsPolicySpec): readonly ValueMatch[] {
  if (allowOrigins.length > 0) return allowOrigins.map(buildValueMatch);
  return allowOrigin.map((value) => ({ kind: "exact", value }));
}
