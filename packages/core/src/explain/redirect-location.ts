// Where a redirect leads, read naively: Envoy's rules for what stays of the request's URL.
import type { MatchRequest } from "../match/match-request.ts";
import type { PathMatch, RedirectAction } from "../model/index.ts";

export interface RedirectedRequest {
  readonly request: MatchRequest;
  /** What the route matched the path with. */
  readonly match: PathMatch;
  /** The Host header as the client sent it. */
  readonly authority: string;
}

/** The `location` header. */
export function redirectLocation(action: RedirectAction, redirected: RedirectedRequest): string {
  const { request, authority } = redirected;
  const scheme = action.scheme ?? request.scheme;
  const isOtherScheme = scheme !== request.scheme;
  const host = action.host ?? withoutPort(authority, { always: action.port !== null, isOtherScheme, request });
  const port = action.port === null ? "" : `:${action.port}`;
  return `${scheme}://${host}${port}${redirectedPath(action, redirected)}`;
}

function redirectedPath({ path }: RedirectAction, { request, match }: RedirectedRequest): string {
  const query = request.query === "" ? "" : `?${request.query}`;
  if (path === null) return request.path + query;
  if (path.kind === "prefix") return path.value + request.path.slice(match.value.length) + query;
  // A query of the redirect's own takes the place of the request's.
  return path.value.includes("?") ? path.value : path.value + query;
}

/** The port goes when another is named, and when it is the default one of a scheme that is left. */
function withoutPort(
  authority: string,
  { always, isOtherScheme, request }: { always: boolean; isOtherScheme: boolean; request: MatchRequest },
): string {
  // What stands in brackets is an IPv6 address, colons and all.
  const [, host = authority, port] = /^(\[[^\]]*\]|[^:]*):(\d+)$/.exec(authority) ?? [];
  const isDefault = port === (request.scheme === "https" ? "443" : "80");
  return always || (isOtherScheme && isDefault) ? host : authority;
}
