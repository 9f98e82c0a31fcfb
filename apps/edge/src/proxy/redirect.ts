// Redirects by route. Everything that does not depend on the request is put together when the table is built.
import { replacePrefix, takenLengthOf } from "@sluice/core/match";
import type { PathMatch, RedirectAction } from "@sluice/core/model";
import type { Exchange } from "../exchange/exchange.ts";

export class RuntimeRedirect {
  readonly kind = "redirect";
  readonly status: number;
  readonly #scheme: "http" | "https" | null;
  /** `://host:port`; null where the host is the request's. */
  readonly #host: string | null;
  /** `:8443`, or empty. */
  readonly #port: string;
  readonly #path: RedirectAction["path"];
  readonly #match: PathMatch;

  constructor({ status, scheme, host, port, path }: RedirectAction, match: PathMatch) {
    this.status = status;
    this.#scheme = scheme;
    this.#port = port === null ? "" : `:${port}`;
    this.#host = host === null ? null : `://${host}${this.#port}`;
    this.#path = path;
    this.#match = match;
  }

  /** Value of the `location` header. Holds nothing of the request but its checked authority, path and query. */
  locationOf(exchange: Exchange): string {
    const scheme = this.#scheme ?? exchange.scheme;
    const host = this.#host ?? `://${this.#requestHost(exchange, scheme)}${this.#port}`;
    return scheme + host + this.#targetOf(exchange);
  }

  /** The port goes where another takes its place, and where it is the default of a scheme that is left. */
  #requestHost({ authority, scheme }: Exchange, nextScheme: string): string {
    const match = portOfAuthority.exec(authority);
    if (match === null) return authority;
    const isLeftDefault = scheme !== nextScheme && match[1] === (scheme === "https" ? "443" : "80");
    return this.#port !== "" || isLeftDefault ? authority.slice(0, match.index) : authority;
  }

  #targetOf({ path, query }: Exchange): string {
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
