// Rules that lead to upstreams: where to, how long, how often, and what is changed on the way (istio-semantics 2.5,
// applyHTTPRouteDestination).
import type { ForwardAction, HeaderPolicy, HttpRule } from "../model/index.ts";
import type { CompileContext } from "./context.ts";
import { destinationsInUse, type RuleScope, weighDestination } from "./destinations.ts";
import { type BuiltHeaders, buildHeaders, joinPolicies } from "./header-operations.ts";
import { buildMirrors } from "./mirrors.ts";
import { buildRetries } from "./retries.ts";
import { authorityOf, buildRewrite } from "./rewrite.ts";
import { timerMs } from "./duration.ts";

export interface BuiltForward {
  readonly action: ForwardAction;
  /** The route's header operations, with those of a destination that is alone. */
  readonly headers: HeaderPolicy | null;
}

/** Null for a rule without a destination that takes requests. */
export function buildForward(rule: HttpRule, scope: RuleScope, context: CompileContext): BuiltForward | null {
  const routeHeaders = buildHeaders(rule.headers);
  const authority = authorityOf(rule.rewrite) ?? routeHeaders.authority;
  const destinations = destinationsInUse(rule.route ?? []).map((destination) => ({
    ...weighDestination(destination, scope, context),
    headers: buildHeaders(destination.headers),
  }));
  const [only, ...others] = destinations;
  if (only === undefined) return null;
  const isAlone = others.length === 0;
  const own: BuiltHeaders = isAlone ? only.headers : { policy: null, authority: null };
  return {
    headers: joinPolicies(routeHeaders.policy, own.policy),
    action: {
      kind: "forward",
      clusters: destinations.map(({ cluster, weight, headers }) =>
        isAlone
          ? { cluster, weight: 1, headers: null, authority: null }
          : // The route's authority goes before that of a destination.
            { cluster, weight, headers: headers.policy, authority: authority === null ? headers.authority : null },
      ),
      timeoutMs: timerMs(rule.timeout) ?? 0,
      retry: buildRetries(rule.retries),
      rewrite: buildRewrite(rule.rewrite, authority ?? own.authority),
      mirrors: buildMirrors(rule, scope, context),
    },
  };
}
