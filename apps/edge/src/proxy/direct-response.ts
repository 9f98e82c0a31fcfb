// Routes that answer by themselves: a redirect, or a status and a body that the configuration holds.
import type { DirectResponseAction } from "@sluice/core/model";
import type { Exchange } from "../exchange/exchange.ts";
import { grpcStatusOf } from "../exchange/grpc.ts";
import type { HeaderOperations } from "./header-operations.ts";
import { sendLocalResponse } from "./local-response.ts";
import type { RuntimeRedirect } from "./redirect.ts";
import { buildUpstreamHead } from "./request-head.ts";

export class RuntimeDirectResponse {
  readonly kind = "direct-response";
  readonly status: number;
  readonly body: Uint8Array;

  constructor({ status, body }: DirectResponseAction) {
    this.status = status;
    this.body = body;
  }
}

export interface RuntimeAnswer {
  readonly action: RuntimeRedirect | RuntimeDirectResponse;
  /** The route's operations on responses hold for its own as well, as in Envoy. */
  readonly responseOperations: readonly HeaderOperations[] | null;
}

/** Answers the exchange. */
export function sendAnswer(exchange: Exchange, { action, responseOperations }: RuntimeAnswer): void {
  const headers = action.kind === "redirect" ? ["location", action.locationOf(exchange)] : [];
  if (responseOperations !== null) {
    // Values may quote the request as the gateway would pass it on.
    const head = buildUpstreamHead(exchange, "");
    for (const operations of responseOperations) operations.applyToHeaders(headers, exchange, head);
  }
  const body = action.kind === "redirect" ? null : action.body;
  sendLocalResponse(exchange, { status: action.status, headers, body, grpcStatus: grpcStatusOf(action.status) });
}
