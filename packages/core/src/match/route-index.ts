// Finds the first matching route of a virtual host with many routes without walking them: the path selects candidates,
// and the lowest candidate whose predicates hold wins.
import { asciiLowerCase } from "./ascii.ts";
import type { CompiledRoute } from "./compiled-route.ts";
import type { MatchRequest } from "./match-request.ts";
import { noRoute, PrefixTree } from "./prefix-tree.ts";
import type { CandidateCheck } from "./prefix-tree.ts";
import type { RoutePredicates } from "./route-predicates.ts";

/** The first route of every literal path, either as written or folded to lower case. */
interface LiteralPaths {
  readonly exact: Map<string, number>;
  readonly prefixes: PrefixTree;
}

/**
 * Declaration order is precedence (Istio HTTPRoute). Each source of candidates goes through route indices in ascending order and is cut off
 * at the lowest index found so far, so sources need no merging and nothing is allocated. Of a route only its predicates are kept, which most
 * have not, and the next one of the same path: a few bytes, where the host of ten thousand would hold as many objects.
 */
export class RouteIndex implements CandidateCheck {
  readonly #predicates: readonly (RoutePredicates | null)[];
  /** By route: the next that has its path, or `noRoute`. */
  readonly #next: Int32Array;
  readonly #literal: LiteralPaths = { exact: new Map(), prefixes: new PrefixTree() };
  /** Routes with `ignoreUriCase`; null when there are none, and then no path is folded. */
  #folded: LiteralPaths | null = null;
  /** Routes with a regular expression as path, in order. They are asked last, with the tightest limit. */
  readonly #patterns: readonly IndexedRoute[];
  /** The request being matched. Matching is synchronous, so one field serves without a closure a request. */
  #request: MatchRequest | null = null;

  constructor(routes: readonly CompiledRoute[]) {
    this.#predicates = routes.map(({ predicates }) => predicates);
    this.#next = new Int32Array(routes.length).fill(noRoute);
    this.#patterns = routes.map((route, index) => ({ route, index })).filter(({ route }) => route.kind === "regex");
    // From the last one to the first: each goes in front of those of its path.
    for (let index = routes.length - 1; index >= 0; index--) this.#add(routes[index] as CompiledRoute, index);
  }

  /** Index of the first matching route, or -1. */
  find(request: MatchRequest): number {
    this.#request = request;
    const none = this.#next.length;
    let lowest = this.#lowestLiteral(this.#literal, request.path, none);
    if (this.#folded !== null) lowest = this.#lowestLiteral(this.#folded, asciiLowerCase(request.path), lowest);
    lowest = this.#lowestPattern(request, lowest);
    this.#request = null;
    return lowest === none ? -1 : lowest;
  }

  lowestFrom(route: number, limit: number): number {
    for (let index = route; index !== noRoute && index < limit; index = this.#next[index] ?? noRoute) {
      const predicates = this.#predicates[index] ?? null;
      if (predicates === null || (this.#request !== null && predicates.hold(this.#request))) return index;
    }
    return limit;
  }

  #lowestLiteral(paths: LiteralPaths, path: string, limit: number): number {
    const exact = paths.exact.get(path);
    const lowest = exact === undefined ? limit : this.lowestFrom(exact, limit);
    return paths.prefixes.lowest(path, lowest, this);
  }

  #lowestPattern(request: MatchRequest, limit: number): number {
    for (const { index, route } of this.#patterns) {
      if (index >= limit) break;
      if (route.matches(request)) return index;
    }
    return limit;
  }

  #add({ ignoreCase, kind, value }: CompiledRoute, index: number): void {
    if (kind === "regex") return;
    const paths = ignoreCase ? (this.#folded ??= { exact: new Map(), prefixes: new PrefixTree() }) : this.#literal;
    if (kind === "prefix") this.#next[index] = paths.prefixes.replace(value, index);
    else {
      this.#next[index] = paths.exact.get(value) ?? noRoute;
      paths.exact.set(value, index);
    }
  }
}

interface IndexedRoute {
  readonly index: number;
  readonly route: CompiledRoute;
}
