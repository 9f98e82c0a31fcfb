// Finds the first matching route of a virtual host with many routes without walking them: the path selects candidates,
// and the lowest candidate whose predicates hold wins.
import { asciiLowerCase } from "./ascii.ts";
import type { CompiledRoute } from "./compiled-route.ts";
import type { MatchRequest } from "./match-request.ts";
import { PrefixTree } from "./prefix-tree.ts";
import type { CandidateCheck } from "./prefix-tree.ts";

/** Routes by literal path, either as written or folded to lower case. */
interface LiteralPaths {
  readonly exact: Map<string, number[]>;
  readonly prefixes: PrefixTree;
}

/**
 * Declaration order is precedence (Istio HTTPRoute). Each source of candidates lists route indices in ascending order and is cut off
 * at the lowest index found so far, so sources need no merging and nothing is allocated.
 */
export class RouteIndex implements CandidateCheck {
  readonly #routes: readonly CompiledRoute[];
  readonly #literal: LiteralPaths = { exact: new Map(), prefixes: new PrefixTree() };
  /** Routes with `ignoreUriCase`; null when there are none, and then no path is folded. */
  #folded: LiteralPaths | null = null;
  /** Routes with a regular expression as path, in order. They come last, with the tightest limit. */
  readonly #patterns: number[] = [];
  /** The request being matched. Matching is synchronous, so one field serves without a closure a request. */
  #request: MatchRequest | null = null;

  constructor(routes: readonly CompiledRoute[]) {
    this.#routes = routes;
    for (let index = 0; index < routes.length; index++) this.#add(routes[index] as CompiledRoute, index);
  }

  /** Index of the first matching route, or -1. */
  find(request: MatchRequest): number {
    this.#request = request;
    const none = this.#routes.length;
    let lowest = this.#lowestLiteral(this.#literal, request.path, none);
    if (this.#folded !== null) lowest = this.#lowestLiteral(this.#folded, asciiLowerCase(request.path), lowest);
    lowest = this.#lowestPattern(request, lowest);
    this.#request = null;
    return lowest === none ? -1 : lowest;
  }

  lowestOf(routes: readonly number[], limit: number): number {
    for (const index of routes) {
      if (index >= limit) break;
      const predicates = this.#routes[index]?.predicates ?? null;
      if (predicates === null || (this.#request !== null && predicates.hold(this.#request))) return index;
    }
    return limit;
  }

  #lowestLiteral(paths: LiteralPaths, path: string, limit: number): number {
    const exact = paths.exact.get(path);
    const lowest = exact === undefined ? limit : this.lowestOf(exact, limit);
    return paths.prefixes.lowest(path, lowest, this);
  }

  #lowestPattern(request: MatchRequest, limit: number): number {
    for (const index of this.#patterns) {
      if (index >= limit) break;
      if (this.#routes[index]?.matches(request) === true) return index;
    }
    return limit;
  }

  #add(route: CompiledRoute, index: number): void {
    if (route.kind === "regex") {
      this.#patterns.push(index);
      return;
    }
    const paths = route.ignoreCase
      ? (this.#folded ??= { exact: new Map(), prefixes: new PrefixTree() })
      : this.#literal;
    if (route.kind === "prefix") paths.prefixes.add(route.value, index);
    else {
      const routes = paths.exact.get(route.value);
      if (routes === undefined) paths.exact.set(route.value, [index]);
      else routes.push(index);
    }
  }
}
