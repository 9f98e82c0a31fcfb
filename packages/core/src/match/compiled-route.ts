// One route ready to be asked: its path in the form it is compared in, and what it demands besides.
import type { PathMatch, RouteMatch } from "../model/index.ts";
import { asciiLowerCase } from "./ascii.ts";
import type { MatchRequest } from "./match-request.ts";
import { compilePredicates } from "./route-predicates.ts";
import type { RoutePredicates } from "./route-predicates.ts";
import { LazyPattern } from "./value-predicate.ts";

export class CompiledRoute {
  readonly kind: PathMatch["kind"];
  /** Lower case when `ignoreCase`. */
  readonly value: string;
  /** `ignoreUriCase` speaks of exact and prefix only; a regular expression says `(?i)` itself. */
  readonly ignoreCase: boolean;
  readonly predicates: RoutePredicates | null;
  readonly #pattern: LazyPattern | null;

  constructor(match: RouteMatch) {
    this.kind = match.path.kind;
    this.ignoreCase = match.path.ignoreCase && match.path.kind !== "regex";
    this.value = this.ignoreCase ? asciiLowerCase(match.path.value) : match.path.value;
    this.predicates = compilePredicates(match);
    this.#pattern = match.path.kind === "regex" ? new LazyPattern(match.path.value) : null;
  }

  matches(request: MatchRequest): boolean {
    return this.#matchesPath(request.path) && (this.predicates === null || this.predicates.hold(request));
  }

  #matchesPath(path: string): boolean {
    if (this.#pattern !== null) return this.#pattern.matches(path);
    const compared = this.ignoreCase ? asciiLowerCase(path) : path;
    return this.kind === "exact" ? compared === this.value : compared.startsWith(this.value);
  }
}
