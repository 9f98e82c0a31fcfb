// Redirects by route.
import { RedirectLocation } from "@sluice/core/match";
import type { PathMatch, RedirectAction } from "@sluice/core/model";
import type { Exchange } from "../exchange/exchange.ts";

export class RuntimeRedirect {
  readonly kind = "redirect";
  readonly status: number;
  readonly #location: RedirectLocation;

  constructor(action: RedirectAction, match: PathMatch) {
    this.status = action.status;
    this.#location = new RedirectLocation(action, match);
  }

  /** Value of the `location` header. */
  locationOf(exchange: Exchange): string {
    return this.#location.of(exchange);
  }
}
