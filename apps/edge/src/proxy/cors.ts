// CORS as Envoy's filter does it: preflights of allowed origins are answered here, answers to their other requests say who may read them.
import { ValuePredicate } from "@sluice/core/match";
import type { CorsPolicy } from "@sluice/core/model";
import type { Exchange } from "../exchange/exchange.ts";
import { sendLocalResponse } from "./local-response.ts";

export class RuntimeCors {
  readonly #origins: readonly ValuePredicate[];
  readonly #allowsAll: boolean;
  readonly #forwardsUnmatched: boolean;
  /** What follows the origin, in answers to preflights and in others. */
  readonly #preflightHeaders: readonly string[];
  readonly #answerHeaders: readonly string[];

  constructor(policy: CorsPolicy) {
    this.#origins = policy.allowOrigins.map((origin) => new ValuePredicate(origin));
    // A matcher that takes `*` for an origin allows them all.
    this.#allowsAll = this.#origins.some((origin) => origin.accepts("*"));
    this.#forwardsUnmatched = policy.forwardsUnmatchedPreflights;
    const credentials = policy.allowCredentials ? ["access-control-allow-credentials", "true"] : [];
    const exposed = field("access-control-expose-headers", policy.exposeHeaders);
    this.#answerHeaders = [...credentials, ...exposed];
    this.#preflightHeaders = [
      ...credentials,
      ...field("access-control-allow-methods", policy.allowMethods),
      ...field("access-control-allow-headers", policy.allowHeaders),
      ...exposed,
      ...field("access-control-max-age", policy.maxAgeSeconds === null ? "" : String(policy.maxAgeSeconds)),
    ];
  }

  /**
   * True when the request was a preflight and has been answered. The origin is named as the client named it, never as `*`: with credentials
   * browsers accept nothing else. No `vary` is added, as by Envoy: what may be cached is the upstream's to say.
   */
  answers(exchange: Exchange): boolean {
    const origin = exchange.header("origin");
    if (origin === null || origin === "") return false;
    const isPreflight =
      exchange.method === "OPTIONS" && (exchange.header("access-control-request-method") ?? "") !== "";
    const isAllowed = this.#allowsAll || this.#origins.some((allowed) => allowed.accepts(origin));
    if (isPreflight && (isAllowed || !this.#forwardsUnmatched)) {
      const headers = isAllowed ? ["access-control-allow-origin", origin, ...this.#preflightHeaders] : [];
      exchange.responseDetails = "cors_response";
      sendLocalResponse(exchange, { status: 200, headers, body: null, grpcStatus: null });
      return true;
    }
    if (isAllowed) exchange.responseOverrides = ["access-control-allow-origin", origin, ...this.#answerHeaders];
    return false;
  }
}

function field(name: string, value: string): string[] {
  return value === "" ? [] : [name, value];
}
