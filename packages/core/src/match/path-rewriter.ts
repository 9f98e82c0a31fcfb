// What a rewrite makes of a request's path. Whatever it is made of, the result is one target that has a single reading: a rewrite must not be
// a way around the normalisation that routing has relied on.
import { RE2JS } from "re2js";
import { normalizePath, type PathMatch, type PathRewrite } from "../model/index.ts";

/** `\1` may repeat a group any number of times: a long path must not become one that no upstream reads. */
const maxTargetLength = 131_072;

/** Puts `value` in place of the path's first `takenLength` characters. Two slashes that meet become one: `/` for `/api` makes `/users` of `/api/users`. */
export function replacePrefix(path: string, takenLength: number, value: string): string {
  const rest = path.slice(takenLength);
  return value.endsWith("/") && rest.startsWith("/") ? value + rest.slice(1) : value + rest;
}

/** Characters of the path that a match took: a prefix, or all of it. */
export function takenLengthOf(match: PathMatch, path: string): number {
  return match.kind === "prefix" ? match.value.length : path.length;
}

export class PathRewriter {
  readonly #match: PathMatch;
  readonly #rewrite: PathRewrite;
  readonly #pattern: RE2JS | null;
  /** Text, and numbers of groups. */
  readonly #substitution: readonly (string | number)[];

  constructor(rewrite: PathRewrite, match: PathMatch) {
    this.#match = match;
    this.#rewrite = rewrite;
    this.#pattern = rewrite.kind === "regex" ? compile(rewrite.pattern) : null;
    this.#substitution =
      rewrite.kind === "regex" ? parseSubstitution(rewrite.substitution, this.#pattern?.groupCount() ?? 0) : [];
  }

  /**
   * The target to send upstream, query included; null when it would be none, or one that another reader could resolve to something else:
   * `/static` rewritten to `/files/` would make `/files/../secret` of `/static../secret`.
   *
   * @param path normalised, without query
   */
  rewrite(path: string, query: string): string | null {
    const rewritten = this.#replaced(path);
    if (rewritten === null || rewritten.length > maxTargetLength) return null;
    const question = rewritten.indexOf("?");
    const ownQuery = question < 0 ? "" : rewritten.slice(question + 1);
    const checked = checkedPath(question < 0 ? rewritten : rewritten.slice(0, question));
    if (checked === null || !isQuery.test(ownQuery)) return null;
    const queries = ownQuery === "" || query === "" ? ownQuery + query : `${ownQuery}&${query}`;
    return queries === "" ? checked : `${checked}?${queries}`;
  }

  #replaced(path: string): string | null {
    if (this.#rewrite.kind === "prefix") {
      return replacePrefix(path, takenLengthOf(this.#match, path), this.#rewrite.value);
    }
    const pattern = this.#pattern;
    if (pattern === null) return null;
    const parts = this.#substitution;
    return pattern.matcher(path).replaceAll((...groups: unknown[]) => {
      let text = "";
      for (const part of parts) text += typeof part === "string" ? part : textOf(groups[part]);
      return text;
    });
  }
}

/** Visible bytes, as a request line may carry them. */
const isQuery = /^[\x21\x22\x24-\x7e\x80-\xff]*$/;

/** The path in its normal form; null when a dot segment had to be resolved for it, or when it is none. */
function checkedPath(rewritten: string): string | null {
  const path = rewritten.startsWith("/") ? rewritten : `/${rewritten}`;
  const normal = normalizePath(path);
  return normal === null || segmentsOf(normal) !== segmentsOf(path) ? null : normal;
}

function segmentsOf(path: string): number {
  let count = 0;
  for (const character of path) if (character === "/" || character === "\\") count++;
  return count;
}

/** The compiler reports patterns that are none, so this is the second lock: such a rewrite refuses its requests. */
function compile(pattern: string): RE2JS | null {
  try {
    return RE2JS.compile(pattern);
  } catch {
    return null;
  }
}

/** RE2's: `\0` to `\9` are groups, those the pattern does not have are empty; `\\` is a backslash. */
function parseSubstitution(text: string, groupCount: number): (string | number)[] {
  const parts: (string | number)[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    const next = character === "\\" ? text.charAt(i + 1) : "";
    if (next !== "") i++;
    const group = next >= "0" && next <= "9" ? Number(next) : -1;
    if (group > groupCount) continue;
    if (group >= 0) parts.push(group);
    else parts.push(next === "" ? character : next);
  }
  return parts;
}

/** A group that took no part in the match is empty. */
function textOf(group: unknown): string {
  return typeof group === "string" ? group : "";
}
