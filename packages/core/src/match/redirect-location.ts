// Where a redirect leads. Everything that does not depend on the request is put together when the table is built. The edge answers
// with it and `explain` tells it, so that the two cannot disagree.
import type { PathMatch, RedirectAction } from "../model/index.ts";
import type { MatchRequest } from "./match-request.ts";
import { replacePrefix, takenLengthOf } from "./path-rewriter.ts";

export class RedirectLocation {
  readonly #scheme: "http" | "https" | null;
  /** `://host:port`; null where the host is the request's. */
  readonly #host: string | null;
  /** `:8443`, or empty. */
  readonly #port: string;
  readonly #path: RedirectAction["path"];
  readonly #match: PathMatch;

  /** @param match what the route matched the path with: a prefix that is replaced is the one that matched */
  constructor({ scheme, host, port, path }: RedirectAction, match: PathMatch) {
    this.#scheme = scheme;
    this.#port = port === null ? "" : `:${port}`;
    this.#host = host === null ? null : `://${host}${this.#port}`;
    this.#path = path;
    this.#match = match;
  }

  /** Value of the `location` header. Holds nothing of the request but its checked authority, path and query. */
  of(request: Pick<MatchRequest, "scheme" | "authority" | "path" | "query">): string {
    const scheme = this.#scheme ?? request.scheme;
    const host = this.#host ?? `://${this.#requestHost(request, scheme)}${this.#port}`;
    return scheme + host + this.#targetOf(request);
  }

  /** The port goes where another takes its place, and where it is the default of a scheme that is left. */
  #requestHost({ authority, scheme }: Pick<MatchRequest, "authority" | "scheme">, nextScheme: string): string {
    const match = portOfAuthority.exec(authority);
    if (match === null) return authority;
    const isLeftDefault = scheme !== nextScheme && match[1] === (scheme === "https" ? "443" : "80");
    return this.#port !== "" || isLeftDefault ? authority.slice(0, match.index) : authority;
  }

  #targetOf({ path, query }: Pick<MatchRequest, "path" | "query">): string {
    const rule = this.#path;
    const target =
      rule === null
        ? path
        : rule.kind === "full"
          ? rule.value
          : replacePrefix(path, takenLengthOf(this.#match, path), rule.value);
    // A query that the redirect itself names takes the place of the request's.
    return query === "" || (rule !== null && rule.value.includes("?")) ? target : `${target}?${query}`;
  }
}

/** Behind a name, or behind the bracket of an IPv6 address. */
const portOfAuthority = /:(\d+)$/;
