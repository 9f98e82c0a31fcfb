// What a route makes of a path before the request goes upstream, read naively (istio-semantics 2.5).
import { RE2JS } from "re2js";
import type { PathMatch, PathRewrite } from "../model/index.ts";

/** The path after the rewrite. A pattern that is no RE2 changes nothing. */
export function rewritePath(rewrite: PathRewrite, match: PathMatch, path: string): string {
  if (rewrite.kind === "prefix") return rewrite.value + path.slice(match.value.length);
  try {
    return replaceMatches(RE2JS.compile(rewrite.pattern), rewrite.substitution, path);
  } catch {
    return path;
  }
}

function replaceMatches(pattern: RE2JS, substitution: string, path: string): string {
  const matcher = pattern.matcher(path);
  let result = "";
  let end = 0;
  while (matcher.find()) {
    const group = (digit: string) =>
      Number(digit) <= matcher.groupCount() ? (matcher.group(Number(digit)) ?? "") : "";
    result +=
      path.slice(end, matcher.start()) +
      substitution.replace(/\\(\d|\\)/g, (_, what: string) => (what === "\\" ? what : group(what)));
    end = matcher.end();
  }
  return result + path.slice(end);
}
