// Everything a route demands besides its path: headers, pseudo headers and query parameters (istio-semantics 2.5).
import type { HeaderMatch, QueryParamMatch, RouteMatch } from "../model/index.ts";
import type { MatchRequest } from "./match-request.ts";
import { findQueryParameter } from "./query-parameter.ts";
import { ValuePredicate } from "./value-predicate.ts";

/** Checks the headers and query parameters of one route; null when the route demands none. */
export class RoutePredicates {
  readonly #headers: readonly HeaderPredicate[];
  readonly #queryParams: readonly QueryParamPredicate[];

  constructor(match: Pick<RouteMatch, "headers" | "queryParams">) {
    this.#headers = match.headers.map((header) => new HeaderPredicate(header));
    this.#queryParams = match.queryParams.map((parameter) => new QueryParamPredicate(parameter));
  }

  hold(request: MatchRequest): boolean {
    for (const predicate of this.#headers) if (!predicate.holds(request)) return false;
    for (const predicate of this.#queryParams) if (!predicate.holds(request)) return false;
    return true;
  }
}

/** Compiles a route's predicates. Most routes have none, and then cost nothing. */
export function compilePredicates(match: RouteMatch): RoutePredicates | null {
  return match.headers.length === 0 && match.queryParams.length === 0 ? null : new RoutePredicates(match);
}

class HeaderPredicate {
  readonly #name: string;
  readonly #invert: boolean;
  readonly #value: ValuePredicate;

  constructor(match: HeaderMatch) {
    this.#name = match.name;
    this.#invert = match.invert;
    this.#value = new ValuePredicate(match);
  }

  /**
   * Inverted (`withoutHeaders`): holds when the value does not match. There a missing header counts as empty, so that
   * `withoutHeaders: { x: { exact: "1" } }` holds for a request without `x`, and presence inverts to absence.
   */
  holds(request: MatchRequest): boolean {
    const value = readHeader(request, this.#name);
    if (this.#value.kind === "present") return (value !== null) !== this.#invert;
    if (value === null && !this.#invert) return false;
    return this.#value.accepts(value ?? "") !== this.#invert && this.#value.isUsable;
  }
}

class QueryParamPredicate {
  readonly #name: string;
  readonly #value: ValuePredicate;

  constructor(match: QueryParamMatch) {
    this.#name = match.name;
    this.#value = new ValuePredicate(match);
  }

  holds(request: MatchRequest): boolean {
    const value = findQueryParameter(request.query, this.#name);
    return value !== null && this.#value.accepts(value);
  }
}

/** `host` is the authority, as in Envoy, whichever HTTP version carried it. */
function readHeader(request: MatchRequest, name: string): string | null {
  switch (name) {
    case ":authority":
    case "host":
      return request.authority;
    case ":method":
      return request.method;
    case ":scheme":
      return request.scheme;
    default:
      return request.header(name);
  }
}
