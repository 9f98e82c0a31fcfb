// A route's path as istioctl writes it in its table: `/get*` for a prefix, `/get` for an exact path, `regex /v[0-9]+`.
import { at } from "./json-path.ts";
import type { Json } from "./json.ts";

/** Headers and query parameters are left out, as in istioctl: the JSON has them. */
export function describeRouteMatch(match: Json | undefined): string {
  const prefix = at(match, "prefix");
  const path = at(match, "path");
  const regex = at(match, "safeRegex", "regex");
  if (typeof prefix === "string") return `${prefix}*`;
  if (typeof path === "string") return path;
  return typeof regex === "string" ? `regex ${regex}` : "";
}
