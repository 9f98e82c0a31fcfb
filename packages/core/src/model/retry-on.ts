// `retryOn` of a VirtualService: Envoy's retry conditions and status codes, separated by commas.

/** Those of `x-envoy-retry-on` and `x-envoy-retry-grpc-on` that the edge can observe. */
export const retryConditions: ReadonlySet<string> = new Set([
  "5xx",
  "gateway-error",
  "reset",
  "reset-before-request",
  "connect-failure",
  "envoy-ratelimited",
  "retriable-4xx",
  "refused-stream",
  "retriable-status-codes",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
]);

/** Conditions and status codes in the order they are written. Unknown words are conditions too: whoever cares looks them up. */
export function parseRetryOn(text: string): { readonly conditions: string[]; readonly statusCodes: number[] } {
  const words = text.split(",").map((word) => word.trim());
  return {
    conditions: words.filter((word) => word !== "" && !isNumber(word)),
    statusCodes: words.filter(isNumber).map(Number),
  };
}

function isNumber(word: string): boolean {
  return /^\d+$/.test(word);
}
