// The response head that goes to the client: the upstream's, with the gateway's name and timing in place of any the upstream
// claims. Framing and hop-by-hop headers are gone already (the upstream parser), dates are the engine's concern.
import type { Exchange } from "../exchange/exchange.ts";
import { overrideHeaders } from "./flat-headers.ts";

/** Flat headers for `Exchange.sendHead`. */
export function buildResponseHeaders(exchange: Exchange, headers: readonly string[]): string[] {
  const result: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    if (name === "server" || name === "x-envoy-upstream-service-time" || name === "x-envoy-decorator-operation")
      continue;
    result.push(name, headers[i + 1] ?? "");
  }
  const serviceTimeMs = Math.round(exchange.upstreamRespondedAt - exchange.upstreamStartedAt);
  result.push("x-envoy-upstream-service-time", String(serviceTimeMs));
  if (exchange.setCookie !== "") result.push("set-cookie", exchange.setCookie);
  exchange.forwarding?.decorate(result);
  if (exchange.responseOverrides !== null) overrideHeaders(result, exchange.responseOverrides);
  result.push("server", "sluice");
  return result;
}
