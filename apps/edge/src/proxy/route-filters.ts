// What comes between finding a route and acting on it, for the routes that ask for it: injected faults, then CORS, in Istio's order, so that
// a preflight can be delayed and aborted as well.
import type { Exchange } from "../exchange/exchange.ts";
import { exchangeFlags } from "../exchange/flags.ts";
import type { ForwardingMetrics } from "../observe/forwarding-metrics.ts";
import type { Random } from "../upstream/balancing/balanced.ts";
import { DelayedExchange } from "./delayed-exchange.ts";
import { drawDelayMs, drawsAbort, sendAbort } from "./fault.ts";
import type { HeldBody } from "./held-body.ts";
import type { RouteFilters, RuntimeRoute } from "./runtime-route.ts";

/** The proxy, as filters see it. */
export interface FilterOwner {
  readonly metrics: ForwardingMetrics;
  readonly random: Random;
  /** The filters let the exchange through. */
  act(exchange: Exchange, route: RuntimeRoute): void;
  /** A filter has answered it. */
  finish(exchange: Exchange): void;
  /** Starts the clock that ends the whole exchange. */
  limitTime(exchange: Exchange): void;
}

export function runFilters(exchange: Exchange, route: RuntimeRoute, owner: FilterOwner): void {
  const { fault = null } = route.filters ?? {};
  const delayMs = fault === null ? 0 : drawDelayMs(fault, owner.random);
  if (delayMs === 0) return runUndelayed(exchange, route, owner);
  exchange.flags |= exchangeFlags.delayInjected;
  owner.metrics.onFault("delay");
  owner.limitTime(exchange);
  exchange.forwarding = new DelayedExchange(exchange, delayMs, (body) => {
    runUndelayed(exchange, route, owner);
    if (!exchange.isDone) handOver(exchange, body);
  });
}

const noFilters: RouteFilters = { fault: null, cors: null };

function runUndelayed(exchange: Exchange, route: RuntimeRoute, owner: FilterOwner): void {
  const { fault, cors } = route.filters ?? noFilters;
  if (fault !== null && drawsAbort(fault, owner.random)) {
    owner.metrics.onFault("abort");
    sendAbort(exchange, fault);
    owner.finish(exchange);
  } else if (cors !== null && cors.answers(exchange)) {
    owner.finish(exchange);
  } else {
    owner.act(exchange, route);
  }
}

/** What came of the body during a delay goes on its way; what is still to come may come. */
function handOver(exchange: Exchange, { chunks, isComplete, trailers }: HeldBody): void {
  let hasRoom = true;
  for (const chunk of chunks) hasRoom = exchange.forwarding?.write(chunk) ?? true;
  if (exchange.isDone) return;
  if (isComplete) exchange.forwarding?.end(trailers);
  else if (hasRoom && !exchange.isRequestComplete && exchange.upgrade === null) exchange.resumeBody();
}
