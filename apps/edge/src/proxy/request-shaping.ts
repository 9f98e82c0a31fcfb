// What becomes of a request's head on its way to one destination: header operations, then the authority and the path, in Envoy's order, so
// that operations see the request as it came.
import type { PathRewriter } from "@sluice/core/match";
import { normalizeAuthority } from "@sluice/core/model";
import type { Exchange } from "../exchange/exchange.ts";
import type { RequestOrigin } from "../upstream/send-request.ts";
import { appendLines, startOf } from "./head-text.ts";
import type { HeaderOperations } from "./header-operations.ts";

export interface RequestShapingSource {
  readonly operations: readonly HeaderOperations[] | null;
  readonly authority: string | null;
  readonly path: PathRewriter | null;
}

const isVisible = /^[\x21-\x7e]+$/;

export class RequestShaping {
  readonly #operations: readonly HeaderOperations[];
  readonly #authority: string | null;
  readonly #host: string;
  readonly #path: PathRewriter | null;

  constructor({ operations, authority, path }: RequestShapingSource) {
    this.#operations = operations ?? [];
    this.#authority = authority !== null && isVisible.test(authority) ? authority : null;
    this.#host = normalizeAuthority(this.#authority ?? "");
    this.#path = path;
  }

  /** The head to send; null when the rewritten path is no target that has one reading only: 400. */
  shape(head: string, exchange: Exchange): string | null {
    let result = head;
    for (const operations of this.#operations) result = operations.applyToHead(result, exchange);
    if (this.#authority === null && this.#path === null) return result;
    const { method, target, host, length } = startOf(result);
    const rewritten = this.#path === null ? target : this.#path.rewrite(exchange.path, exchange.query);
    if (rewritten === null) return null;
    const original =
      (this.#path === null ? "" : `x-envoy-original-path: ${target}\r\n`) +
      (this.#authority === null ? "" : `x-envoy-original-host: ${host}\r\n`);
    const start = `${method} ${rewritten} HTTP/1.1\r\nhost: ${this.#authority ?? host}\r\n`;
    return appendLines(start + result.slice(length), original);
  }

  /** Where the request comes from, as connections to the upstream see it: with the authority that it is sent with. */
  originOf(exchange: Exchange): RequestOrigin {
    if (this.#authority === null) return exchange;
    const { protocol, scheme, upgrade, downstream } = exchange;
    return { protocol, authority: this.#authority, host: this.#host, scheme, upgrade, downstream };
  }
}
