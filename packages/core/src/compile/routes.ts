// From the HTTP rules of a VirtualService to routes, in order (istio-semantics 2.5).
import type {
  HeaderPolicy,
  HttpMatchRequest,
  HttpRule,
  Resource,
  Route,
  RouteAction,
  RouteDestination,
  RouteMatch,
  RoutePolicy,
  VirtualServiceSpec,
} from "../model/index.ts";
import type { CompileContext } from "./context.ts";
import { buildCors } from "./cors.ts";
import { isInScope, resolveDestination, type RuleScope } from "./destinations.ts";
import { buildDirectResponse } from "./direct-response.ts";
import { buildFault } from "./fault.ts";
import { buildForward } from "./forward-action.ts";
import { buildHeaders } from "./header-operations.ts";
import { buildRedirect } from "./redirect.ts";
import { buildRouteMatch, isCatchAll } from "./route-match.ts";

/** Where routes are built for, and from what. */
export interface RouteScope extends Omit<RuleScope, "namespace"> {
  readonly virtualService: Resource<VirtualServiceSpec>;
  /** The server's connections are encrypted. */
  readonly isTls: boolean;
}

type Scope = RouteScope & RuleScope;

/**
 * The routes of a VirtualService on one gateway: each match of each rule is one route. A route that matches everything ends the
 * list, for none after it can be reached. Empty when no match is meant for this port and gateway.
 */
export function buildRoutes(routeScope: RouteScope, context: CompileContext): readonly Route[] {
  const scope: Scope = { ...routeScope, namespace: routeScope.virtualService.namespace };
  const routes: Route[] = [];
  for (const [http, rule] of (scope.virtualService.spec.http ?? []).entries()) {
    const matches = rule.match === undefined || rule.match.length === 0 ? [null] : rule.match;
    for (const [index, match] of matches.entries()) {
      if (match !== null && !isInScope(match, scope, context)) continue;
      const route = buildRoute({ rule, match, at: { http, match: match === null ? -1 : index } }, scope, context);
      if (route === null) continue;
      routes.push(route);
      if (isCatchAll(route.match)) return routes;
    }
  }
  return routes;
}

interface RuleMatch {
  readonly rule: HttpRule;
  readonly match: HttpMatchRequest | null;
  readonly at: Route["rule"];
}

function buildRoute({ rule, match, at }: RuleMatch, scope: Scope, context: CompileContext): Route | null {
  const { virtualService } = scope;
  const built = buildAction(rule, scope, context);
  if (built === null) return null;
  const routeMatch = buildRouteMatch(match);
  const apiVersion = virtualService.document.apiVersion;
  return {
    name: routeName(rule.name, match?.name),
    virtualService: { namespace: virtualService.namespace, name: virtualService.name, apiVersion },
    rule: at,
    match: routeMatch,
    action: built.action,
    policy: buildPolicy(rule, built.headers),
    operation: describeOperation(rule.route ?? [], routeMatch, { scope, context }),
  };
}

interface BuiltAction {
  readonly action: RouteAction;
  readonly headers: HeaderPolicy | null;
}

/** A redirect goes before an answer, an answer before destinations, where a rule with a delegate was given more than one. */
function buildAction(rule: HttpRule, scope: Scope, context: CompileContext): BuiltAction | null {
  if (rule.redirect === undefined && rule.directResponse === undefined) return buildForward(rule, scope, context);
  const headers = buildHeaders(rule.headers).policy;
  if (rule.redirect !== undefined) return { action: buildRedirect(rule.redirect, scope), headers };
  return rule.directResponse === undefined ? null : { action: buildDirectResponse(rule.directResponse), headers };
}

function buildPolicy(rule: HttpRule, headers: HeaderPolicy | null): RoutePolicy | null {
  const fault = buildFault(rule.fault);
  const cors = buildCors(rule.corsPolicy);
  return fault === null && cors === null && headers === null ? null : { fault, cors, headers };
}

function routeName(ruleName: string | undefined, matchName: string | undefined): string {
  return matchName === undefined || matchName === "" ? (ruleName ?? "") : `${ruleName ?? ""}.${matchName}`;
}

/** Envoy's decorator, the name of spans: the destination where there is one, else the VirtualService, and the path. */
function describeOperation(
  destinations: readonly RouteDestination[],
  { path }: RouteMatch,
  { scope, context }: { readonly scope: Scope; readonly context: CompileContext },
): string {
  const pathText = path.kind === "prefix" ? `${path.value}*` : path.value;
  const [only, ...others] = destinations;
  if (only === undefined || others.length > 0) return `${scope.virtualService.name}:${scope.port}${pathText}`;
  const { host, port } = resolveDestination(only, scope, context);
  return `${host}:${port}${pathText}`;
}
