// The response head that goes to the client: the upstream's, with the gateway's name and timing in place of any the upstream
// claims. Framing and hop-by-hop headers are gone already (the upstream parser), dates are the engine's concern.
import type { Exchange } from "../exchange/exchange.ts";
import { overrideHeaders } from "./flat-headers.ts";

/** Makes the upstream's flat headers those for `Exchange.sendHead`, in place. */
export function completeResponseHeaders(exchange: Exchange, headers: string[]): void {
  removeClaims(headers);
  const serviceTimeMs = Math.round(exchange.upstreamRespondedAt - exchange.upstreamStartedAt);
  headers.push("x-envoy-upstream-service-time", String(serviceTimeMs));
  if (exchange.setCookie !== "") headers.push("set-cookie", exchange.setCookie);
  exchange.forwarding?.decorate(headers);
  if (exchange.responseOverrides !== null) overrideHeaders(headers, exchange.responseOverrides);
  headers.push("server", "sluice");
}

/** What only a gateway can say, or what would name the server behind it. */
function removeClaims(headers: string[]): void {
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    if (name === "server" || name === "x-envoy-upstream-service-time" || name === "x-envoy-decorator-operation")
      continue;
    if (kept < i) {
      headers[kept] = name;
      headers[kept + 1] = headers[i + 1] ?? "";
    }
    kept += 2;
  }
  if (kept < headers.length) headers.length = kept;
}
