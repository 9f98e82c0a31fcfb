// What is changed of a request on its way upstream: path and authority (istio-semantics 2.5, applyHTTPRouteDestination).
import type { HttpRewrite, PathRewrite, Rewrite } from "../model/index.ts";

/** `headerAuthority` is what header operations make of the authority; the rewrite's own goes first. */
export function buildRewrite(rewrite: HttpRewrite | undefined, headerAuthority: string | null): Rewrite | null {
  const path = rewrite === undefined ? null : buildPathRewrite(rewrite);
  const authority = authorityOf(rewrite) ?? headerAuthority;
  return path === null && authority === null ? null : { path, authority };
}

export function authorityOf(rewrite: HttpRewrite | undefined): string | null {
  return rewrite?.authority === undefined || rewrite.authority === "" ? null : rewrite.authority;
}

function buildPathRewrite({ uri = "", uriRegexRewrite }: HttpRewrite): PathRewrite | null {
  if (uriRegexRewrite !== undefined) {
    return { kind: "regex", pattern: uriRegexRewrite.match, substitution: uriRegexRewrite.rewrite };
  }
  return uri === "" ? null : { kind: "prefix", value: uri };
}
