// The `expect` field of a request (RFC 9110, 10.1.1).

/**
 * True for the one expectation there is. Who asks for another one is told that it cannot be met (417): `expect` goes no further than
 * Sluice, so nobody behind it could meet it either, and leaving it out in silence would break the client's condition.
 */
export function isKnownExpectation(value: string): boolean {
  return value.length === 12 && value.toLowerCase() === "100-continue";
}
