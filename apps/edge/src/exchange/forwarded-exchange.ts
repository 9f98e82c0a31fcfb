// The seam between the proxy and whatever has taken an exchange to bring it upstream (proxy/forwarding.ts, proxy/delayed-exchange.ts).
import type { FailureCode } from "./failure.ts";

export interface ForwardedExchange {
  /** A piece of the request's body, only valid during the call. False: stop until told to go on. */
  write(chunk: Uint8Array): boolean;
  /** The request is complete. */
  end(trailers: readonly string[]): void;
  /** True when the upstream's answer that begins so goes no further, because the request is sent again. */
  retriesResponse(status: number, headers: readonly string[], bodyLength: number): boolean;
  /** True when the failure is not the last word, because the request is sent again. */
  retriesFailure(failure: FailureCode): boolean;
  /** Does to a response's headers what the route says. */
  decorate(headers: string[]): void;
  /** The exchange is over. */
  close(): void;
}
