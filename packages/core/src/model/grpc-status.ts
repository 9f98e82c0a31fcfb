// The status codes of gRPC, by their names in the specification.

export const grpcStatusNames = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** The code of a name (`UNAVAILABLE`) or of a number as text (`14`); null for anything else. */
export function parseGrpcStatus(text: string): number | null {
  const code = /^\d{1,2}$/.test(text) ? Number(text) : (grpcStatusNames as readonly string[]).indexOf(text);
  return code >= 0 && code < grpcStatusNames.length ? code : null;
}
